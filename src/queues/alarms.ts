/**
 * The alarm clock, on BullMQ: delayed jobs that carry an id and nothing else. A job is named for what is due and when, so
 * setting the same alarm twice makes one job, and a terminal that connects finds its lane's job by the due moment and
 * promotes it. What is really due stands in Redis; a job that comes late or twice finds nothing to do.
 */
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { InvariantError } from '../kernel/errors.js';
import type { Alarms } from '../push/ports.js';
import type { PushUid } from '../push/push-message.js';
import type { TerminalId } from '../registry/terminal-id.js';

export interface AlarmTasks {
  runLane(terminal: TerminalId): Promise<void>;
  notifyResult(uid: PushUid, recipient: number): Promise<void>;
  sweep(): Promise<void>;
}

export interface AlarmOptions {
  /** Key prefix, with braces so that a queue's keys share a slot. */
  readonly prefix: string;
  readonly lanesAtOnce: number;
  readonly resultsAtOnce: number;
  readonly sweepEveryMs: number;
  readonly now: () => number;
  readonly onError: (reason: string, error: unknown) => void;
}

interface LaneJob {
  readonly terminal: TerminalId;
}

interface ResultJob {
  readonly uid: PushUid;
  readonly recipient: number;
}

const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true } as const;

export class BullAlarms implements Alarms, AsyncDisposable {
  readonly #lanes: Queue<LaneJob>;
  readonly #results: Queue<ResultJob>;
  readonly #sweeps: Queue;
  readonly #workers: Worker[] = [];
  readonly #options: AlarmOptions;
  readonly #open: () => Redis | Cluster;
  readonly #connections: (Redis | Cluster)[] = [];

  /** `open` gives a connection for each queue and worker; they are closed with the clock. */
  constructor(open: () => Redis | Cluster, options: AlarmOptions) {
    this.#open = open;
    this.#options = options;
    this.#lanes = this.#queue<LaneJob>('lanes');
    this.#results = this.#queue<ResultJob>('results');
    this.#sweeps = this.#queue('sweeps');
  }

  #queue<T>(name: string): Queue<T> {
    const queue = new Queue<T>(name, { connection: this.#connect(), prefix: this.#options.prefix });
    queue.on('error', (error) => this.#options.onError(`queue ${name}`, error));
    return queue as Queue<T>;
  }

  #connect(): Redis | Cluster {
    const connection = this.#open();
    this.#connections.push(connection);
    return connection;
  }

  /** Starts answering alarms, here and now; every gateway process does. */
  async start(tasks: AlarmTasks): Promise<void> {
    const { lanesAtOnce, resultsAtOnce, sweepEveryMs } = this.#options;
    this.#work<LaneJob>('lanes', lanesAtOnce, (job) => tasks.runLane(job.data.terminal));
    this.#work<ResultJob>('results', resultsAtOnce, (job) =>
      tasks.notifyResult(job.data.uid, job.data.recipient),
    );
    this.#work('sweeps', 1, () => tasks.sweep());
    await this.#sweeps.upsertJobScheduler(
      'sweep',
      { every: sweepEveryMs },
      { name: 'sweep', opts: JOB_OPTIONS },
    );
  }

  #work<T>(name: string, concurrency: number, run: (job: Job<T>) => Promise<void>): void {
    const worker = new Worker<T>(
      name,
      async (job) => {
        try {
          await run(job);
        } catch (error) {
          this.#options.onError(`job ${name}/${job.id ?? ''}`, error);
          if (error instanceof InvariantError) throw new UnrecoverableError(error.message);
          throw error;
        }
      },
      { connection: this.#connect(), prefix: this.#options.prefix, concurrency },
    );
    worker.on('error', (error) => this.#options.onError(`worker ${name}`, error));
    this.#workers.push(worker as Worker);
  }

  async laneDue(terminal: TerminalId, at: number): Promise<void> {
    await this.#quietly('lane alarm', () =>
      this.#lanes.add(
        'run',
        { terminal },
        { ...JOB_OPTIONS, jobId: laneJobId(terminal, at), delay: this.#delay(at) },
      ),
    );
  }

  async promoteLane(terminal: TerminalId, at: number): Promise<void> {
    await this.#quietly('lane promotion', async () => {
      const jobId = laneJobId(terminal, at);
      const job = await this.#lanes.getJob(jobId);
      if (!job || !(await job.isDelayed())) return;
      // NOTE: without its name, because the run that follows may find the lane due at the same moment as before, and BullMQ
      // would take that alarm for this job.
      await job.remove();
      await this.#lanes.add('run', { terminal }, JOB_OPTIONS);
    });
  }

  async resultDue(uid: PushUid, recipient: number, at: number): Promise<void> {
    await this.#quietly('result alarm', () =>
      this.#results.add(
        'notify',
        { uid, recipient },
        { ...JOB_OPTIONS, jobId: `${uid}.${recipient}.${at}`, delay: this.#delay(at) },
      ),
    );
  }

  #delay(at: number): number {
    return Math.max(0, at - this.#options.now());
  }

  async #quietly(what: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#options.onError(what, error);
    }
  }

  /** Waits for jobs under way, then closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await Promise.all([this.#lanes.close(), this.#results.close(), this.#sweeps.close()]);
    for (const connection of this.#connections) connection.disconnect();
  }
}

/** A colon is not allowed in a job id. */
function laneJobId(terminal: TerminalId, at: number): string {
  return `${terminal}.${at}`;
}
