import { hash, verify } from '@node-rs/argon2';
import { hubError } from '#lib/base/errors.ts';

/** OWASP's first choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane; 32-byte digest. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
/** Of a password nobody knows: what an unknown user is checked against, so that they cost the same time. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$fNRiiSeYJxkh/2rF/IjCGQ$gfmpzECaU0MbUk66bOESJijSCEBF/TIKrHkrbynVSp4';

const MAX_RUNNING = 2;
const MAX_WAITING = 100;
const MIN_PASSWORD_LENGTH = 8;
const MAX_PASSWORD_LENGTH = 512;

let running = 0;
const waiting: (() => void)[] = [];

/** Runs at most two hashes at a time (40 MiB, two cores); a queue of 100 is full and throws overloaded. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) {
      throw hubError(
        'overloaded',
        'too many people are signing in at this moment: try again in a few seconds',
      );
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running += 1;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

/** What is wrong with a new password, as one public sentence, or null. Length is what counts (NIST SP 800-63B). */
export function passwordProblem(password: string): string | null {
  if (password.length < MIN_PASSWORD_LENGTH) return `must have at least ${MIN_PASSWORD_LENGTH} characters`;
  if (password.length > MAX_PASSWORD_LENGTH) return `must have at most ${MAX_PASSWORD_LENGTH} characters`;
  return null;
}

/** The argon2id hash of a password, as a PHC string with its own salt. Equal in Unicode (NFKC) is equal. */
export async function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password.normalize('NFKC'), PARAMETERS));
}

/**
 * Whether the password is the one that was hashed. Without a hash (no such user, or one who has no password) it
 * does the same work and says no.
 */
export async function passwordMatches(passwordHash: string | null, password: string): Promise<boolean> {
  if (password.length > MAX_PASSWORD_LENGTH) return false;
  const matches = await inTurn(() => verify(passwordHash ?? NOBODY, password.normalize('NFKC')));
  return matches && passwordHash !== null;
}
