import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { availableMemory, freeOf, groupsOf, roomOf } from '../../../src/engines/memory.js';

describe('available memory', () => {
  it('is something, and no more than the machine has', () => {
    expect(availableMemory()).toBeGreaterThan(0);
    expect(availableMemory()).toBeLessThanOrEqual(totalmem());
  });

  it('is what the kernel says is available', () => {
    expect(freeOf('MemTotal:  100 kB\nMemFree:  10 kB\nMemAvailable:   80 kB\n')).toBe(80 * 1024);
    expect(freeOf('')).toBeNull();
  });

  it('under a limit leaves the page cache out of what is used', () => {
    const stat = 'anon 300\nfile 500\ninactive_file 200\nactive_file 100\n';
    expect(roomOf({ limit: '1000\n', used: '800\n', stat })).toBe(500);
    expect(roomOf({ limit: '1000\n', used: '1200\n', stat: '' })).toBe(0);
    expect(roomOf({ limit: 'max\n', used: '800\n', stat })).toBeNull();
  });

  it('looks at every control group above the process', () => {
    expect(groupsOf('0::/system.slice/lookalike.service\n')).toEqual([
      '/sys/fs/cgroup',
      '/sys/fs/cgroup/system.slice',
      '/sys/fs/cgroup/system.slice/lookalike.service',
    ]);
    expect(groupsOf('0::/\n')).toEqual(['/sys/fs/cgroup']);
    expect(groupsOf('4:memory:/a\n')).toEqual([]);
  });
});
