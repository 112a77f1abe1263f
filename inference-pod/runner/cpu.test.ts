import { expect, test } from '@jest/globals';
import { threadCpuMs } from './cpu.ts';

test('work of a tenth of a millisecond is seen, not only whole ticks of the kernel', () => {
  let seen = 0;
  for (let i = 0; i < 50; i += 1) {
    const beforeMs = threadCpuMs();
    const untilMs = performance.now() + 0.1;
    while (performance.now() < untilMs);
    if (threadCpuMs() > beforeMs) seen += 1;
  }
  // By ticks of 1 ms it is one in ten.
  expect(seen).toBeGreaterThan(25);
});

test('time in which a thread sleeps is not its own', async () => {
  const beforeMs = threadCpuMs();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(threadCpuMs() - beforeMs).toBeLessThan(40);
});
