/** The simulator's HorizontalPodAutoscaler beside the controller of Kubernetes itself, on deployments that nobody has seen before. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readRecordings, replayed } from '../../simulator/policies/recorded/replayed.ts';
import { missingForBuild } from './build.ts';

const seed = Number(process.env.HPA_SEED ?? Math.floor(Math.random() * 1e9));
const scenarios = Number(process.env.HPA_SCENARIOS ?? 60);
const folder = mkdtempSync(join(tmpdir(), 'ballast-hpa-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Compiling the controller takes a minute or two the first time.
test(`seed ${seed}: the same pods and samples come to the same replicas`, () => {
  const missing = missingForBuild();
  if (missing !== undefined) {
    console.log(`NOT RUN: ${missing}`);
    return;
  }
  const out = join(folder, 'looks.jsonl');
  const numbers = ['-scenarios', String(scenarios), '-ticks', '60', '-seed', String(seed), '-out', out];
  const run = spawnSync('nice', ['go', 'test', '-vet=off', './hpa', '-run', 'Record', '-args', ...numbers], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect({ code: run.status, text: run.status === 0 ? '' : run.stdout + run.stderr }).toEqual({
    code: 0,
    text: '',
  });
  const recordings = readRecordings(readFileSync(out, 'utf8'));
  expect(recordings).toHaveLength(scenarios);
  for (const recording of recordings) {
    const { setting, looks } = recording;
    expect(looks.length).toBeGreaterThan(50);
    expect({ setting, looks: replayed(recording) }).toEqual({
      setting,
      looks: looks.map(({ at, proposed, asked }) => ({ at, proposed, asked })),
    });
  }
}, 600_000);
