/** Every series that the operator tells of itself, with its meaning: the `HELP` lines of `/metrics` and the reference page. */

export interface SeriesMeaning {
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly labels: readonly string[];
  readonly help: string;
}

const counter = (help: string, ...labels: string[]): SeriesMeaning => ({ type: 'counter', labels, help });
const gauge = (help: string, ...labels: string[]): SeriesMeaning => ({ type: 'gauge', labels, help });
/** A sum and a count, no quantiles. */
const summary = (help: string, ...labels: string[]): SeriesMeaning => ({ type: 'summary', labels, help });

/** By name, `ballast_operator_` left out. */
export const operatorSeries: Readonly<Record<string, SeriesMeaning>> = {
  leader: gauge('1 in the replica that leads and writes, 0 in the others.'),
  namespace_read: gauge(
    '1 when the caches of a namespace (empty: of all) hold their first lists.',
    'namespace',
  ),
  claim_held: gauge(
    '1 when this installation holds the Lease ballast-claim of a named namespace.',
    'namespace',
  ),
  claims_wanted: gauge('Namespaces that this installation would look after.'),
  claims_held: gauge('Of these, namespaces whose claim it holds.'),
  claim_errors_total: counter('Renewals of a claim that failed.', 'namespace'),
  permission_missing: gauge('1 while RBAC refuses this request.', 'verb', 'resource', 'namespace'),
  permission_refusals_total: counter('Requests that RBAC refused.', 'verb', 'resource', 'namespace'),
  defaults_file_broken: gauge('1 while the file of fleet-wide defaults cannot be read.'),
  defaults_file_changes_total: counter('Changes of that file which were taken.'),
  reconciles_total: counter('Reconciles by what came of them.', 'controller', 'result'),
  reconcile_seconds: summary('How long they took.', 'controller'),
  controller_resyncs_total: counter('Times at which everything was looked at anew.', 'controller'),
  not_admitted_total: counter(
    'Reconciles left out because the namespace is not read or claimed yet.',
    'controller',
  ),
  plan_errors_total: counter('Plans that could not be made: a bug to report.'),
  scaling_errors_total: counter('Scaling decisions that could not be made: a bug to report.'),
  writes_total: counter('Objects written and deleted.', 'kind', 'verb'),
  stale_sync_skips_total: counter(
    'Reconciles put off because the cache has not seen a write of the operator yet.',
    'controller',
    'kind',
  ),
  stale_sync_given_up_total: counter('Writes that the cache never saw; it went on without them.', 'kind'),
  queue_depth: gauge('Objects that wait for a reconcile.', 'queue'),
  queue_wait_seconds: summary('How long they waited.', 'queue'),
  queue_adds_total: counter('Objects put into the queue.', 'queue', 'priority'),
  queue_retries_total: counter('Reconciles that failed and are tried again.', 'queue'),
  events_sent_total: counter('Kubernetes Events written.', 'type'),
  events_dropped_total: counter('Events given up: too many, or refused.'),
  client_requests_total: counter(
    'Requests to the API server by status, or by what went wrong.',
    'verb',
    'kind',
    'code',
  ),
  client_request_seconds: summary('How long they took.', 'verb'),
  client_retries_total: counter('Requests sent again because the server asked to wait.', 'verb', 'code'),
  client_throttled_total: counter("Requests that waited for a turn under the operator's own limit (--qps)."),
  reflector_lists_total: counter('Lists read to fill a cache.', 'kind'),
  reflector_page_expired_total: counter('Lists begun anew because a page had expired.', 'kind'),
  reflector_watches_total: counter('Watches opened.', 'kind'),
  reflector_events_total: counter('Changes that watches told.', 'kind', 'type'),
  reflector_errors_total: counter(
    'Lists and watches that failed; namespace where single ones are watched.',
    'kind',
    'during',
    'reason',
    'namespace',
  ),
  watch_last_activity_seconds: gauge(
    'Time since a watch last told anything; namespace where single ones are watched.',
    'resource',
    'namespace',
  ),
  handler_errors_total: counter('Changes whose handling failed: a bug to report.', 'kind'),
  probe_targets: gauge('Pods that are asked for their load.'),
  probe_pulls_total: counter('Times that a pod was asked.'),
  probe_pull_failures_total: counter('Of these, times without a usable answer.', 'reason'),
  probe_pulls_in_flight: gauge('Answers that are waited for.'),
  fleet_round_duration_seconds: gauge(
    'Work of the last round of scaling decisions, of which there is one a second.',
  ),
  fleet_round_decisions: gauge('ModelDeployments that it decided anew; the others were at rest.'),
};
