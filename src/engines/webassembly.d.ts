/** What the scan uses of WebAssembly: its types come with a browser's library only, which no service should see. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared?: boolean }); // pages of 64 KiB
    readonly buffer: ArrayBufferLike; // a SharedArrayBuffer when shared
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory>>);
    readonly exports: Record<string, unknown>;
  }
}
