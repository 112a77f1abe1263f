/** What the pod is at this moment: read by admission, probes and reports. */
import type { ModelSignature } from '../protocol/datatypes.ts';
import type { Phase } from './admission/admission.ts';

export interface PodState {
  phase: Phase;
  /** Known as soon as the file was inspected, before onnxruntime has it. */
  signature: ModelSignature | undefined;
  /** How far the start is, for people who ask /readyz. */
  stage: string;
  modelSha256: string;
  /** The digest that the revision must serve, when it is another one. */
  digestWanted: string | undefined;
}

/** True when the pod takes requests and wants to be sent more. */
export const isReady = (state: PodState): boolean =>
  state.phase === 'ready' && state.digestWanted === undefined;

/** Why the pod is not ready: a reason in one word and a sentence. */
export const unreadiness = (state: PodState): { reason: string; message: string } | undefined => {
  if (state.digestWanted !== undefined)
    return {
      reason: 'DigestMoved',
      message: `the revision serves the file with sha256 ${state.digestWanted}, this pod has ${state.modelSha256}`,
    };
  if (state.phase === 'loading') return { reason: 'Loading', message: state.stage };
  if (state.phase !== 'ready') return { reason: 'Draining', message: 'the pod is shutting down' };
  return undefined;
};
