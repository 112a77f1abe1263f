import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { Lifecycle, stopOnSignals } from './lifecycle.ts';

describe('shutdown', () => {
  test('goes unready first, then ends work, caches, lease and connections in that order', async () => {
    const lifecycle = new Lifecycle({ clock: new HeldClock() });
    const ended: string[] = [];
    const step = (name: string) => async () => {
      expect(lifecycle.unready()).toEqual(['shutting down']);
      ended.push(name);
    };
    lifecycle.onStop('connections', 'client', step('client'));
    lifecycle.onStop('lease', 'elector', step('elector'));
    lifecycle.onStop('work', 'controller', step('controller'));
    lifecycle.onStop('caches', 'pods', step('pods'));
    expect(lifecycle.unready()).toEqual([]);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(ended).toEqual(['controller', 'pods', 'elector', 'client']);
  });

  test('goes on when a step hangs or fails', async () => {
    const clock = new HeldClock();
    const lifecycle = new Lifecycle({ clock });
    lifecycle.onStop('work', 'stuck', () => new Promise(() => {}), 20_000);
    lifecycle.onStop('work', 'broken', () => Promise.reject(new Error('bug')));
    let released = false;
    lifecycle.onStop('lease', 'elector', async () => {
      released = true;
    });
    const stopped = lifecycle.stop();
    await clock.run(19_999);
    expect(released).toBe(false);
    await clock.run(1);
    await stopped;
    expect(released).toBe(true);
  });

  test('the first signal ends in order with 0, the second at once with 130', async () => {
    const clock = new HeldClock();
    const source = new EventEmitter();
    const codes: number[] = [];
    const lifecycle = new Lifecycle({ clock });
    const work = Promise.withResolvers<void>();
    lifecycle.onStop('work', 'slow', () => work.promise);
    stopOnSignals(source, lifecycle, (code) => codes.push(code));
    source.emit('SIGTERM');
    source.emit('SIGTERM');
    expect(codes).toEqual([130]);
    work.resolve();
    await clock.run(0);
    expect(codes).toEqual([130, 0]);
  });

  test('readiness names what is missing', () => {
    const lifecycle = new Lifecycle();
    lifecycle.addCheck('watch', () => 'Pod: silent for 1,300 s');
    lifecycle.addCheck('leader', () => undefined);
    expect(lifecycle.unready()).toEqual(['watch: Pod: silent for 1,300 s']);
  });
});
