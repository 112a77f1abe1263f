/**
 * One request from its headers to the end of its answer: deadline, place in the queue, pod, outcome. It is its own entry in
 * the queue and on the wheel of deadlines, so that nothing more is made per request.
 */

import { allowedMs } from '../queue/client-timeout.ts';
import type { Deadlines, Expiring, Spoke } from '../queue/deadlines.ts';
import type { Place, Waiting } from '../queue/fair-queue.ts';
import type { PodFailure } from './balance/failure.ts';
import type { Pod } from './balance/pod.ts';
import type { RevisionPool } from './balance/revision.ts';
import type { ModelRecorder } from './load/recorder.ts';
import type { ByteShare } from './queue/bytes.ts';
import { noPod, podFailed, type Refusal, timedOut, uploadTooSlow } from './queue/refusal.ts';

/** What a call asks of its model's queue. */
export interface Gate {
  readonly model: string;
  readonly deadlines: Deadlines;
  readonly bytes: ByteShare;
  readonly unread: ByteShare;
  /** Calls whose answers wait for their readers, the longest wait first. */
  readonly unreadCalls: Set<Call>;
  readonly recorder: ModelRecorder;
  readonly nowMs: () => number;
  submit(call: Call): void;
  again(call: Call): void;
  withdraw(call: Call): void;
  slotFreed(): void;
  refused(call: Call, refusal: Refusal): void;
  opened(): void;
  finished(call: Call, status: number): void;
}

/** The protocol's side of a call. */
export interface CallEdge {
  /** Sends the request to a pod, which has so many milliseconds for it. */
  send(pod: Pod, leftMs: number): void;
  /** Answers the client; called once, and never after the answer of a pod has begun. */
  refuse(refusal: Refusal): void;
  /** Breaks off what was sent to the pod: nobody waits for it any more. */
  abort(): void;
  /** Breaks off an answer that has begun: its client does not read. */
  breakOff(): void;
  /** The time that was asked for with `watchAnswer` is over. */
  overdue?(): void;
}

/** A pod is given this much time beyond the deadline to say 504 itself: its connection then lives on. */
const podGraceMs = 15;
/** How often what may have reached a pod, and is harmless, is sent again. */
const mostRepeats = 2;
/** An upload that takes longer gives its slot back until it is complete: a slow client must not keep a pod idle. */
const slotDuringUploadMs = 250;

type State = 'open' | 'waiting' | 'held' | 'bound' | 'answering' | 'done';

export class Call implements Waiting, Expiring {
  readonly connection: object;
  readonly arrivedMs: number;
  /** Inference, which waits for a slot and counts; anything else goes to any ready pod at once. */
  readonly isInference: boolean;
  /** The revision that a header asks for. */
  readonly pinned: string | undefined;
  /** How long it may take once a pod is there, and how long its client waits at all, milliseconds. */
  readonly timeoutMs: number;
  readonly clientMs: number | undefined;
  deadlineMs: number;
  expiresMs: number;
  enqueuedMs = 0;
  spoke: Spoke | undefined;
  place: Place | undefined;
  /** The revision that it waits for or is bound to. */
  pool: RevisionPool<Call> | undefined;
  /** The client is still sending, and nothing may be sent to a pod before it has ended. */
  isUploading = false;
  /** The pod takes no more of a body that streams at present: that the body is not whole is then the pod's doing. */
  isPodFull = false;
  state: State = 'open';
  /** A pod got it. */
  wasBound = false;
  readonly #gate: Gate;
  readonly #edge: CallEdge;
  #pod: Pod | undefined;
  #boundMs = 0;
  #hasSlot = false;
  #isSendingOn = false;
  #heldBytes = 0;
  #unreadBytes = 0;
  #repeats = 0;
  #slotTimer: NodeJS.Timeout | undefined;

  constructor(
    gate: Gate,
    edge: CallEdge,
    about: {
      readonly connection: object;
      readonly isInference: boolean;
      readonly pinned: string | undefined;
      readonly timeoutMs: number;
      readonly clientMs: number | undefined;
    },
    nowMs: number,
  ) {
    this.#gate = gate;
    this.#edge = edge;
    this.connection = about.connection;
    this.isInference = about.isInference;
    this.pinned = about.pinned;
    this.timeoutMs = about.timeoutMs;
    this.clientMs = about.clientMs;
    this.arrivedMs = nowMs;
    this.deadlineMs = nowMs + allowedMs(about.timeoutMs, about.clientMs);
    this.expiresMs = this.deadlineMs;
    gate.opened();
    gate.deadlines.add(this);
    if (this.isInference) gate.recorder.arrived(nowMs);
  }

  get isDone(): boolean {
    return this.state === 'done';
  }

  /** A pod's answer is on its way to the client. */
  get isAnswering(): boolean {
    return this.state === 'answering';
  }

  /** Keeps so many bytes in all, or refuses. */
  hold(bytes: number): boolean {
    const more = bytes - this.#heldBytes;
    if (more > 0 && !this.#gate.bytes.take(more)) return false;
    if (more < 0) this.#gate.bytes.give(-more);
    this.#heldBytes = bytes;
    return true;
  }

  /** An answer waits for its reader with so many bytes. Where there is no room, the one that has waited longest is given up. */
  waitForReader(bytes: number): void {
    const { unread, unreadCalls } = this.#gate;
    this.readerIsBack();
    if (this.isDone) return;
    while (!unread.take(bytes)) {
      const [oldest] = unreadCalls;
      (oldest ?? this).giveUpReader();
      if (oldest === undefined) return;
    }
    this.#unreadBytes = bytes;
    unreadCalls.add(this);
  }

  readerIsBack(): void {
    if (this.#unreadBytes === 0) return;
    this.#gate.unread.give(this.#unreadBytes);
    this.#unreadBytes = 0;
    this.#gate.unreadCalls.delete(this);
  }

  /** Its client does not read, and others need the room. */
  giveUpReader(): void {
    this.readerIsBack();
    this.#edge.breakOff();
  }

  /** The request is here, whole or as far as it is kept: it waits for a pod from now on, or is sent at once. */
  submit(): void {
    if (this.state === 'open') this.#gate.submit(this);
  }

  /** The gate found a pod. */
  bind(pod: Pod, pool: RevisionPool<Call>, nowMs: number): void {
    this.state = 'bound';
    this.wasBound = true;
    this.pool = pool;
    this.#pod = pod;
    this.#boundMs = nowMs;
    this.#takeSlot();
    pool.bound += 1;
    this.expireAt(this.deadlineMs + podGraceMs);
    this.#edge.send(pod, Math.max(1, Math.floor(this.deadlineMs - nowMs)));
  }

  /** Part of the body is still to come from the client, and is sent on as it comes. */
  uploadGoesOn(): void {
    this.#isSendingOn = true;
    this.#slotTimer ??= setTimeout(() => this.#giveSlot(), slotDuringUploadMs).unref();
  }

  /** The body has been sent whole: the pod has it in hand from now on. */
  uploadEnded(): void {
    this.#isSendingOn = false;
    clearTimeout(this.#slotTimer);
    this.#slotTimer = undefined;
    if (this.state === 'bound' && !this.#hasSlot) {
      this.#boundMs = this.#gate.nowMs();
      this.#takeSlot();
    }
  }

  /** The pod's answer has begun: what is left is carrying it to the client. */
  answered(status: number): void {
    if (this.state !== 'bound') return;
    const nowMs = this.#gate.nowMs();
    this.state = 'answering';
    const pod = this.#pod;
    if (status === 503) pod?.pause(nowMs, 200);
    else pod?.succeeded();
    if (pod !== undefined) pod.answeredMs = nowMs;
    if (this.isInference && this.#hasSlot) {
      const serviceMs = nowMs - this.#boundMs;
      // Refusals come fast and say nothing of the time that a run takes.
      if (status < 400) {
        if (pod !== undefined) this.pool?.observe(pod, serviceMs);
        this.#gate.recorder.served(nowMs, serviceMs);
      }
    }
    this.#giveSlot();
    // The pod kept the deadline; how long the client takes to read is bounded by its connection.
    this.#gate.deadlines.remove(this);
  }

  /** The edge looks after so many milliseconds whether the answer that has begun still comes. */
  watchAnswer(ms: number): void {
    if (this.state === 'answering') this.expireAt(this.#gate.nowMs() + ms);
  }

  /** The exchange with the pod broke; the call is tried elsewhere or refused. */
  podFailed(failure: PodFailure): void {
    if (this.state === 'answering') {
      this.finish(502);
      return;
    }
    if (this.state !== 'bound') return;
    const nowMs = this.#gate.nowMs();
    if (failure.isPodSick) this.#pod?.failed(nowMs);
    this.#giveSlot();
    this.#pod = undefined;
    const mayRepeat =
      failure.repeatable && (!failure.reachedPod || (failure.harmless && this.#repeats < mostRepeats));
    if (!mayRepeat || nowMs >= this.deadlineMs) {
      this.#refuse(podFailed(failure.message));
      return;
    }
    if (failure.reachedPod) this.#repeats += 1;
    this.state = 'open';
    this.expireAt(this.deadlineMs);
    this.#gate.again(this);
  }

  /** The gate or the edge refuses it. */
  refuse(refusal: Refusal): void {
    if (this.state === 'done' || this.state === 'answering') return;
    this.#refuse(refusal);
  }

  /** The client left. */
  cancel(): void {
    if (this.state === 'done') return;
    this.#edge.abort();
    this.finish(499);
  }

  /** The answer ended, with this status. */
  finish(status: number): void {
    if (this.state === 'done') return;
    this.#gate.withdraw(this);
    this.state = 'done';
    clearTimeout(this.#slotTimer);
    this.#gate.deadlines.remove(this);
    this.#giveSlot();
    this.hold(0);
    this.readerIsBack();
    this.#gate.finished(this, status);
  }

  /** The wheel's word: its time is over. */
  expire(): void {
    if (this.state === 'answering') {
      this.#edge.overdue?.();
      return;
    }
    const nowMs = this.#gate.nowMs();
    const waitedMs = nowMs - this.arrivedMs;
    const isClientSlow = this.#isSendingOn && !this.isPodFull;
    if (this.state === 'held') {
      this.refuse(noPod(this.#gate.model, waitedMs));
      return;
    }
    if (this.state === 'bound') {
      // A pod's main thread says 504 itself: one that said nothing to anybody since is sick. One that has not got its
      // request whole has nothing to say.
      if (!isClientSlow && this.#pod !== undefined && this.#pod.answeredMs < this.#boundMs)
        this.#pod.failed(nowMs);
      this.#edge.abort();
    }
    const isTooSlow = this.isUploading || (isClientSlow && this.isInference);
    this.refuse(isTooSlow ? uploadTooSlow(waitedMs) : timedOut(waitedMs));
  }

  /** No pod is there, and one is asked for: the timeout is meant for pods that run, so it does not count until then. */
  heldFor(mostMs: number): void {
    this.expireAt(this.arrivedMs + allowedMs(mostMs, this.clientMs));
  }

  /** A pod is there: the timeout begins, and the client's own deadline goes on. */
  heldNoMore(nowMs: number): void {
    const ownMs = this.clientMs === undefined ? Number.POSITIVE_INFINITY : this.arrivedMs + this.clientMs;
    this.deadlineMs = Math.min(nowMs + this.timeoutMs, ownMs);
  }

  /** Moves its end on the wheel. */
  expireAt(ms: number): void {
    if (this.expiresMs === ms && this.spoke !== undefined) return;
    this.#gate.deadlines.remove(this);
    this.expiresMs = ms;
    this.#gate.deadlines.add(this);
  }

  #refuse(refusal: Refusal): void {
    this.#gate.refused(this, refusal);
    this.finish(refusal.status);
    this.#edge.refuse(refusal);
  }

  #takeSlot(): void {
    if (!this.isInference || this.#pod === undefined || this.pool === undefined) return;
    this.#hasSlot = true;
    this.#pod.outstanding += 1;
    this.pool.inFlight += 1;
    this.#gate.recorder.inHand(this.#gate.nowMs(), 1);
  }

  #giveSlot(): void {
    if (!this.#hasSlot || this.#pod === undefined || this.pool === undefined) return;
    this.#hasSlot = false;
    this.#pod.outstanding -= 1;
    this.pool.inFlight -= 1;
    this.#gate.recorder.inHand(this.#gate.nowMs(), -1);
    this.#gate.slotFreed();
  }
}
