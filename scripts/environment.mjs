/** What the service is started with: Node, V8 and glibc read it before anything of ours runs. The caller's own variables come first. */
export const ENVIRONMENT = {
  UV_THREADPOOL_SIZE: '4', // libvips decodes on libuv's pool
  // MB of young objects that each thread of JavaScript keeps (V8's own 16 cost memory and gain nothing here), and threads of V8
  // that help collect and compile: its own four take all cores from answers for as long as a collection takes.
  NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1',
  MALLOC_MMAP_THRESHOLD_: '1048576', // glibc: a larger block goes back to the kernel when it is freed, not to its thread's arena
  MALLOC_TRIM_THRESHOLD_: '4194304', // glibc: so much stays at the end of each arena, or every picture gives its pixels back to the kernel and takes them anew
};
