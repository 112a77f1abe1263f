/** What onnxruntime's native code reads from the environment of the process. */

/**
 * onnxruntime 1.29 and later report usage to Microsoft and write to the home directory, on by default. Native code reads
 * the environment of the process, which a worker reaches only when it shares it (`SHARE_ENV`): a copy would change nothing.
 */
export const turnOffTelemetry = (): void => {
  process.env.ORT_DISABLE_TELEMETRY = '1';
};
