import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isTokenShaped } from './authenticate.ts';

/** Names of a seed need only fit into an address: clients' test users begin with `__`. */
const name = z.string().regex(/^[A-Za-z0-9_.-]{1,96}$/, 'must have 1 to 96 of A-Z a-z 0-9 _ . -');
const line = z.string().min(1).max(200);

const seedSchema = z.strictObject({
  users: z
    .array(
      z.strictObject({
        name,
        fullname: line.optional(),
        email: z.email().max(254).optional(),
        password: z.string().min(1).max(512).optional(),
        admin: z.boolean().default(false),
        tokens: z
          .array(
            z.strictObject({
              name: line,
              token: z
                .string()
                .refine(isTokenShaped, 'must begin with hf_ and have 35 to 256 visible ASCII characters'),
              role: z.enum(['read', 'write']),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
  organizations: z
    .array(
      z.strictObject({
        name,
        fullname: line.optional(),
        defaultPrivate: z.boolean().default(false),
        members: z
          .array(z.strictObject({ user: name, role: z.enum(['admin', 'write', 'contributor', 'read']) }))
          .default([]),
      }),
    )
    .default([]),
});

export type Seed = z.infer<typeof seedSchema>;

/** Reads LARDER_SEED. Throws one Error with the place of every mistake in the file (`users.0.tokens.1.role: …`), never a value. */
export async function readSeed(file: string): Promise<Seed> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`LARDER_SEED ${file}: it cannot be read (${error.code})`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`LARDER_SEED ${file}: it is not valid JSON`); // the parser's own message quotes the file, tokens and all
  }
  const parsed = seedSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new Error(`LARDER_SEED ${file} is not valid:\n${lines.join('\n')}`);
}
