// A real server for a test: started, killed and started again on the same data and port.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../../../../target/debug/samtale', import.meta.url));
const BINARY = process.env.SAMTALE_BIN ?? BUILT;
const START_TIMEOUT_MS = 60_000;

export interface DemoLogin {
  role: string;
  name: string;
  username: string;
  password: string;
}

/** Why there is no server to test against; undefined when there is one. */
export const noServer = existsSync(BINARY) ? undefined : `no server at ${BINARY}: build it, or set SAMTALE_BIN`;

export class DemoServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samtale-sdk-'));
  #process: ChildProcess | undefined;
  url = '';
  logins: DemoLogin[] = [];

  static async start(): Promise<DemoServer> {
    const server = new DemoServer();
    await server.start();
    return server;
  }

  /** Starts it, at the port that it had before. */
  async start(): Promise<void> {
    const listen = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
    const folders = ['--data', join(this.#folder, 'data'), '--keys', join(this.#folder, 'keys')];
    const running = spawn(BINARY, ['demo', ...folders, '--listen', listen, '--json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#process = running;
    const ready = JSON.parse(await firstLine(running)) as { url: string; logins: DemoLogin[] };
    this.url = ready.url;
    this.logins = ready.logins;
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  login(role: string): DemoLogin {
    const login = this.logins.find((one) => one.role === role);
    if (!login) throw new Error(`nobody with the role ${role} in the demo`);
    return login;
  }
}

function firstLine(running: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not start')), START_TIMEOUT_MS);
    running.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    if (!running.stdout) return reject(new Error('the server says nothing'));
    createInterface(running.stdout).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
  });
}
