/** Kinds that are asked and not stored: everybody who has the token may do everything. */
import { groupVersionOf, type Kind } from '../kind.ts';
import { type AnyObject, isJson } from '../object.ts';
import { badRequest } from '../status-error.ts';

const user = { username: 'ballast', groups: ['system:masters', 'system:authenticated'] };

const answers: Record<string, (body: AnyObject) => object> = {
  SelfSubjectAccessReview: () => ({ allowed: true, reason: 'the embedded cluster allows everything' }),
  SubjectAccessReview: () => ({ allowed: true, reason: 'the embedded cluster allows everything' }),
  SelfSubjectRulesReview: () => ({
    incomplete: false,
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }),
  SelfSubjectReview: () => ({ userInfo: user }),
};

/** True for a kind that is answered instead of stored. */
export const isReview = (kind: Kind): boolean => kind.kind in answers;

/** The review with its status. */
export function answerReview(kind: Kind, body: unknown): AnyObject {
  if (!isJson(body)) throw badRequest('the body is not an object');
  const review = body as AnyObject;
  const { apiVersion: _, kind: __, metadata = {}, ...rest } = review;
  return {
    kind: kind.kind,
    apiVersion: groupVersionOf(kind),
    metadata: isJson(metadata) ? metadata : {},
    ...rest,
    status: answers[kind.kind]?.(review) ?? {},
  };
}
