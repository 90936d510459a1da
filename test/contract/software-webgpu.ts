import { existsSync } from 'node:fs';

/** Where Debian's chromium package keeps SwiftShader, a Vulkan driver that runs on the CPU. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

/**
 * The environment in which WebGPU runs on SwiftShader, or undefined (with a line that says so) when it is not
 * installed. The loader reads the variables when a process starts: they are for child processes.
 */
export function softwareWebgpu(): Record<string, string> | undefined {
  const folder = FOLDERS.find((path) => existsSync(`${path}/vk_swiftshader_icd.json`));
  if (folder) return { VK_DRIVER_FILES: `${folder}/vk_swiftshader_icd.json`, LD_LIBRARY_PATH: folder };
  console.warn('SKIPPED: WebGPU tests need SwiftShader (Debian: apt install chromium)');
  return undefined;
}
