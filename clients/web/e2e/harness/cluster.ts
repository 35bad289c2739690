import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CLUSTER, PAGE } from './places.ts';
import { type Login, loginOf, type Place, type Role } from './school.ts';
import { until } from './until.ts';

const GATEWAYS = 3;
/** Redis, the tables, the school, and three gateways, on two cores that have other work. */
const START_PATIENCE_MS = 110_000;
/** What is shown of its own words when it does not start. */
const LOG_LINES = 10;
/** Where ports are looked for: below those that systems hand out by themselves. */
const PORTS = { from: 12_000, to: 19_000 };

/** What a cluster lacks here, with how to get it; null when it can be had. */
export function missingForCluster(): string | null {
  if (!process.env.SAMTALE_CQL)
    return 'a CQL server, whose address is in SAMTALE_CQL: run scripts/set-up, then scripts/test';
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (!folders.some((folder) => existsSync(join(folder, 'redis-server'))))
    return 'redis-server: apt-get install redis-server, then scripts/set-up';
  if (!existsSync(CLUSTER)) return 'samtale-cluster: build it with "cargo build --package samtale-tests --bins"';
  return null;
}

/** Says what was skipped, where all tests do. */
export function skipped(what: string, missing: string): void {
  const line = `${what}: ${missing}`;
  process.stdout.write(`skipped: ${line}\n`);
  if (process.env.SAMTALE_SKIPPED) appendFileSync(process.env.SAMTALE_SKIPPED, `${line}\n`);
}

/** A demo school on three gateways over a real Redis and a real CQL server, as `make cluster` starts it. */
export class Cluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samtale-e2e-cluster-'));
  #process: ChildProcess | undefined;
  #told: { readonly gateways: { readonly url: string }[]; readonly logins: Login[] } = { gateways: [], logins: [] };

  static async open(): Promise<Cluster> {
    const cluster = new Cluster();
    try {
      await cluster.#start(await freePort());
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  async #start(port: number): Promise<void> {
    // A copy, so that a build in the meantime takes no file from under an open page.
    const page = join(this.#folder, 'page');
    cpSync(PAGE, page, { recursive: true });
    const data = join(this.#folder, 'data');
    const names = ['--keyspace', `browser_${process.pid}`, '--drop-keyspace'];
    const running = spawn(CLUSTER, ['--data', data, '--port', String(port), '--web', page, ...names]);
    this.#process = running;
    const said: string[] = [];
    // Read to the end, because a full pipe would stop it; only the last lines are of use.
    running.stdout.resume();
    running.stderr.on('data', (words: Buffer) => {
      said.push(...words.toString().split('\n'));
      said.splice(0, said.length - LOG_LINES);
    });
    const file = join(data, 'cluster.json');
    await until(
      'the cluster to be ready',
      () => {
        if (running.exitCode !== null) throw new Error([`it ended with ${running.exitCode}`, ...said].join('\n'));
        return existsSync(file);
      },
      START_PATIENCE_MS,
    );
    this.#told = JSON.parse(readFileSync(file, 'utf8'));
  }

  /** One of its gateways, from 1, as the place of a device. */
  gateway(number: number): Place {
    const { gateways, logins } = this.#told;
    const url = gateways[number - 1]?.url;
    if (!url) throw new Error(`there is no gateway ${number}`);
    return { url, login: (role: Role) => loginOf(logins, role) };
  }

  /** Ends it as Ctrl-C does: it stops all that it started. */
  async close(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running && running.exitCode === null) {
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The first of as many ports beside each other as there are gateways. */
async function freePort(): Promise<number> {
  for (;;) {
    const first = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const all = Array.from({ length: GATEWAYS }, (_, number) => first + number);
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
