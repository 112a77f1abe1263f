/** A thread that answers questions one after the other. */
import { parentPort } from 'node:worker_threads';
import type { FleetResult, FleetTask } from './faro-task.ts';
import { runFleetTask } from './faro-task.ts';
import type { Result, Task } from './task.ts';
import { runTask } from './task.ts';

export type Question = Task | FleetTask;
export type Answer<Q extends Question> = Q extends FleetTask ? FleetResult : Result;

parentPort?.on('message', (question: Question) => {
  parentPort?.postMessage('cap' in question ? runFleetTask(question) : runTask(question));
});
