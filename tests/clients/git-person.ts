import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hub } from '#tests/support/hub.ts';

export interface Said {
  readonly code: number;
  /** Both streams, in the order in which they came. */
  readonly output: string;
}

/** Somebody at a machine of their own, with stock git and git-lfs and nothing set but what they would set. */
export class GitPerson {
  readonly name: string;
  readonly token: string;
  readonly home: string;
  readonly hub: Pick<Hub, 'url'>;

  constructor(hub: Pick<Hub, 'url'>, folder: string, name: string, token: string) {
    this.hub = hub;
    this.name = name;
    this.token = token;
    this.home = join(folder, name);
  }

  /** The address of a repo with the credentials in it. */
  remote(repo: string, suffix = '.git'): string {
    const { host } = new URL(this.hub.url);
    return `http://${this.name}:${this.token}@${host}/${repo}${suffix}`;
  }

  /** Folder of a clone. */
  at(clone: string): string {
    return join(this.home, clone);
  }

  /** Runs git in a clone (or at home); whatever it ends with is told. */
  async try(clone: string, ...args: string[]): Promise<Said> {
    await mkdir(this.home, { recursive: true });
    const child = spawn('git', args, {
      cwd: clone === '' ? this.home : this.at(clone),
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.home,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_AUTHOR_NAME: this.name,
        GIT_AUTHOR_EMAIL: `${this.name}@example.org`,
        GIT_COMMITTER_NAME: this.name,
        GIT_COMMITTER_EMAIL: `${this.name}@example.org`,
        GIT_EDITOR: 'true',
        LC_ALL: 'C',
      } as unknown as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (text: Buffer) => {
      output += text.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? -1));
    });
    return { code, output };
  }

  /** Runs git, which must succeed; its trimmed output. */
  async git(clone: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.try(clone, ...args);
    if (code !== 0) throw new Error(`${this.name}: git ${args.join(' ')} ended with ${code}:\n${output}`);
    return output.trim();
  }

  /** Runs git, which must fail; its output. */
  async refused(clone: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.try(clone, ...args);
    if (code === 0) throw new Error(`${this.name}: git ${args.join(' ')} was not refused:\n${output}`);
    return output;
  }

  /** Calls the hub's API; throws with the answer when it refuses. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const res = await fetch(this.hub.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await res.text();
    if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
