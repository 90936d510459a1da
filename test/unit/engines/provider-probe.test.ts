import { describe, expect, it } from 'vitest';
import { chooseProvider, type ProviderProbe, probeProviders } from '../../../src/engines/provider-probe.js';
import { softwareWebgpu } from '../../contract/software-webgpu.js';

// A machine without a GPU, whatever this one has: no Vulkan driver and no CUDA device is found.
const bare = { ...process.env, VK_DRIVER_FILES: '/dev/null', LD_LIBRARY_PATH: '', CUDA_VISIBLE_DEVICES: '' };

describe('probeProviders', () => {
  it('always has the CPU, and says in a sentence why another cannot be used', async () => {
    const probes = await probeProviders({ setting: 'auto', env: bare });
    expect(probes.map(({ name }) => name)).toEqual(['cpu', 'webgpu', 'cuda']);
    expect(probes[0]).toEqual({ name: 'cpu', usable: true, reason: null });
    for (const { usable, reason } of probes.slice(1)) {
      expect(usable).toBe(false);
      expect(reason).toMatch(/^(webgpu|cuda) does not start: .{10,}/);
      expect(reason).not.toMatch(/\.cc:|\n/);
    }
    expect(chooseProvider('auto', probes)).toBe('cpu');
  });

  it('starts nothing that the setting does not ask for', async () => {
    const probes = await probeProviders({ setting: 'cpu' });
    expect(probes.slice(1)).toEqual([
      { name: 'webgpu', usable: false, reason: 'not probed: the setting is cpu' },
      { name: 'cuda', usable: false, reason: 'not probed: the setting is cpu' },
    ]);
  });

  it('gives up on a probe that does not answer in time', async () => {
    const probes = await probeProviders({ setting: 'webgpu', timeoutMs: 1, env: bare });
    expect(probes[1]).toEqual({ name: 'webgpu', usable: false, reason: 'no answer within 0.001 s' });
  });

  it('survives a probe that ends without a word', async () => {
    const env = { ...bare, NODE_OPTIONS: '--no-such-option' };
    const probes = await probeProviders({ setting: 'webgpu', env });
    expect(probes[1]!.reason).toBe('the probe ended with exit code 9');
  });

  const driver = softwareWebgpu();
  it.skipIf(!driver)(
    'takes a software adapter when asked for by name, not by itself',
    async () => {
      const env = { ...process.env, ...driver };
      const asked = await probeProviders({ setting: 'webgpu', timeoutMs: 100_000, env });
      expect(asked[1]).toEqual({ name: 'webgpu', usable: true, reason: null });
      expect(chooseProvider('webgpu', asked)).toBe('webgpu');
      const found = await probeProviders({ setting: 'auto', timeoutMs: 100_000, env });
      expect(found[1]).toMatchObject({
        usable: false,
        reason: expect.stringContaining('slower than the CPU here'),
      });
    },
    240_000,
  );
});

describe('chooseProvider', () => {
  const probes = (webgpu: boolean, cuda: boolean): ProviderProbe[] => [
    { name: 'cpu', usable: true, reason: null },
    { name: 'webgpu', usable: webgpu, reason: webgpu ? null : 'no adapter' },
    { name: 'cuda', usable: cuda, reason: cuda ? null : 'no libraries' },
  ];

  it('takes CUDA before WebGPU before the CPU', () => {
    expect(chooseProvider('auto', probes(true, true))).toBe('cuda');
    expect(chooseProvider('auto', probes(true, false))).toBe('webgpu');
    expect(chooseProvider('auto', probes(false, false))).toBe('cpu');
    expect(chooseProvider('cpu', probes(true, true))).toBe('cpu');
  });

  it('refuses the one that was named when it cannot be used, and says why', () => {
    expect(() => chooseProvider('cuda', probes(true, false))).toThrow(
      expect.objectContaining({
        code: 'provider_unavailable',
        message: expect.stringContaining('no libraries'),
      }),
    );
  });
});
