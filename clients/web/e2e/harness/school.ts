import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PAGE, SERVER } from './places.ts';
import { PATIENCE_MS } from './until.ts';

export interface Login {
  readonly role: string;
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

/** Where a device goes, and who can log in there. */
export interface Place {
  readonly url: string;
  login(role: Role): Login;
}

export type Role = 'teacher' | 'guardian' | 'child';

/** What is shown of a server's own words when it does not start. */
const LOG_LINES = 10;

/** A demo school: a real server with the page, on a port of its own, and made anew for each file of scenarios. */
export class School implements Place {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samtale-e2e-'));
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #logins: readonly Login[] = [];
  url = '';

  private constructor(settings: readonly string[]) {
    // A copy, so that a build in the meantime takes no file from under an open page.
    cpSync(PAGE, join(this.#folder, 'page'), { recursive: true });
    this.#settings = [...settings, `web=${join(this.#folder, 'page')}`];
  }

  static async open(settings: readonly string[] = []): Promise<School> {
    const school = new School(settings);
    await school.start();
    return school;
  }

  /** Starts it; again on the same data, at the same port. */
  async start(): Promise<void> {
    const listen = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
    const settings = this.#settings.flatMap((setting) => ['--set', setting]);
    const running = spawn(SERVER, ['demo', ...this.#folders(), '--listen', listen, '--json', ...settings]);
    this.#process = running;
    const ready = JSON.parse(await firstLine(running)) as { url: string; logins: Login[] };
    this.url = ready.url;
    this.#logins = ready.logins;
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

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  login(role: Role): Login {
    return loginOf(this.#logins, role);
  }

  /** A parent who has not been here yet, and the code on the sheet that the school gave them. */
  newcomer(): { readonly name: string; readonly username: string; readonly code: string } {
    const printed = execFileSync(SERVER, ['people', 'codes', '--json', ...this.#folders()], { encoding: 'utf8' });
    const { codes } = JSON.parse(printed) as {
      codes: { name: string; children: string[]; username: string; code: string }[];
    };
    const found = codes.find(({ children }) => children.length > 0);
    if (!found) throw new Error('every parent has been here');
    return found;
  }

  #folders(): string[] {
    return ['--data', join(this.#folder, 'data'), '--keys', join(this.#folder, 'keys')];
  }
}

export function loginOf(logins: readonly Login[], role: Role): Login {
  const login = logins.find((one) => one.role === role);
  if (!login) throw new Error(`the demo has no ${role}`);
  return login;
}

function firstLine(running: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string) => reject(new Error([`the server ${why}`, ...said].join('\n')));
    const timer = setTimeout(() => fail('does not start'), PATIENCE_MS);
    running.once('error', (error) => fail(`cannot be started: ${error.message}`));
    running.once('exit', (code) => fail(`ended with ${code}`));
    if (!running.stdout || !running.stderr) return fail('has no output');
    // Read to the end, because a full pipe would stop it; only the last lines are of use.
    createInterface({ input: running.stderr }).on('line', (line) => {
      said.push(line);
      if (said.length > LOG_LINES) said.shift();
    });
    createInterface({ input: running.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
  });
}
