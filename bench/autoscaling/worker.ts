/** A thread that runs tasks one after the other. */
import { parentPort } from 'node:worker_threads';
import type { Task } from './task.ts';
import { runTask } from './task.ts';

parentPort?.on('message', (task: Task) => {
  parentPort?.postMessage(runTask(task));
});
