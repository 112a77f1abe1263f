/** CPU time of a thread, which neighbours on its core do not lengthen. */

/** CPU milliseconds that the calling thread has had so far. */
export const threadCpuMs = (): number => {
  // Linux tells a thread's time as of its last tick, up to 4 ms ago; asked for the process's it brings the caller's up to date.
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
