/** The last words of the pod, which Kubernetes shows in its status. */
import { writeFileSync } from 'node:fs';
import type { FetchManifest, TerminationMessage } from '../../crds/wire.ts';

/** The kubelet keeps 4096 bytes of a termination message. */
const maxBytes = 4096;

/** Writes one line of JSON to the termination log; a log that cannot be written is no reason to fail otherwise. */
export const writeTermination = (path: string, message: TerminationMessage | FetchManifest): void => {
  const shorten = (text: string) => (text.length > 1500 ? `${text.slice(0, 1500)}…` : text);
  const record =
    'reason' in message
      ? { reason: message.reason, message: shorten(message.message) }
      : {
          sha256: message.sha256,
          bytes: message.bytes,
          // Its files, of which there may be thousands, are told in manifest.json only.
          uri: message.uri.length > 3000 ? '' : message.uri,
        };
  try {
    writeFileSync(path, `${JSON.stringify(record)}\n`.slice(0, maxBytes));
  } catch {
    // The default path exists only inside a container.
  }
};
