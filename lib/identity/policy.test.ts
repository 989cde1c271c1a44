import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canAdmin,
  canChangeAnything,
  canCreateIn,
  canManageMembers,
  canRead,
  canWrite,
  roleIn,
} from './policy.ts';
import { ANONYMOUS, type OrgRole, type Principal, SYSTEM, type UserPrincipal } from './principal.ts';

const ME = 'a'.repeat(24);
const OTHER = 'b'.repeat(24);
const ORG = 'c'.repeat(24);

function user(options: {
  role?: OrgRole | null;
  token?: 'read' | 'write' | null;
  isAdmin?: boolean;
}): UserPrincipal {
  const { role = null, token = null, isAdmin = false } = options;
  return {
    kind: 'user',
    id: ME,
    name: 'me',
    fullname: 'Me',
    email: null,
    isAdmin,
    orgs: role ? [{ id: ORG, name: 'org', fullname: 'Org', role }] : [],
    via: token ? 'token' : 'session',
    token: token && { id: 'd'.repeat(24), name: 't', role: token, createdAt: '2026-01-01T00:00:00Z' },
  };
}

describe('rights in an organization', () => {
  // role, read private, create, write others' repo, write own repo, manage members
  test.each<[OrgRole | null, boolean, boolean, boolean, boolean, boolean]>([
    ['admin', true, true, true, true, true],
    ['write', true, true, true, true, false],
    ['contributor', true, true, false, true, false],
    ['read', true, false, false, false, false],
    [null, false, false, false, false, false],
  ])('of %s are those of the Hub', (role, reads, creates, writesOthers, writesOwn, manages) => {
    const me = user({ role });
    expect(canRead(me, { namespaceId: ORG, visibility: 'private' })).toBe(reads);
    expect(canCreateIn(me, ORG)).toBe(creates);
    expect(canWrite(me, { namespaceId: ORG, createdBy: OTHER })).toBe(writesOthers);
    expect(canWrite(me, { namespaceId: ORG, createdBy: ME })).toBe(writesOwn);
    expect(canManageMembers(me, ORG)).toBe(manages);
  });
});

const principals: fc.Arbitrary<Principal> = fc.oneof(
  fc.constant(ANONYMOUS),
  fc
    .record({
      role: fc.constantFrom<OrgRole | null>('admin', 'write', 'contributor', 'read', null),
      token: fc.constantFrom<'read' | 'write' | null>('read', 'write', null),
      isAdmin: fc.boolean(),
    })
    .map(user),
);
const things = fc.record({
  namespaceId: fc.constantFrom(ME, OTHER, ORG),
  visibility: fc.constantFrom<'public' | 'private'>('public', 'private'),
  createdBy: fc.constantFrom(ME, OTHER, null),
});

describe('for every caller and every thing', () => {
  test('whoever may write may read, and whoever may administer may write', () => {
    fc.assert(
      fc.property(principals, things, (p, thing) => {
        if (canAdmin(p, thing)) expect(canWrite(p, thing)).toBe(true);
        if (canWrite(p, thing)) expect(canRead(p, thing)).toBe(true);
      }),
    );
  });

  test('anonymous callers and read tokens change nothing', () => {
    fc.assert(
      fc.property(principals, things, (p, thing) => {
        const isWeak = p.kind === 'anonymous' || (p.kind === 'user' && p.token?.role === 'read');
        if (!isWeak) return;
        expect(canChangeAnything(p)).toBe(false);
        for (const may of [canWrite, canAdmin]) expect(may(p, thing)).toBe(false);
        expect(canCreateIn(p, thing.namespaceId)).toBe(false);
        expect(canManageMembers(p, thing.namespaceId)).toBe(false);
      }),
    );
  });

  test('a private thing of a namespace where one has no role is closed, also to administrators of the installation', () => {
    fc.assert(
      fc.property(principals, things, (p, thing) => {
        if (roleIn(p, thing.namespaceId) !== null) return;
        expect(canRead(p, { ...thing, visibility: 'private' })).toBe(false);
        expect(canWrite(p, thing)).toBe(false);
      }),
    );
  });

  test('everybody reads what is public, and the hub itself may do everything', () => {
    fc.assert(
      fc.property(principals, things, (p, thing) => {
        expect(canRead(p, { ...thing, visibility: 'public' })).toBe(true);
        expect(
          canRead(SYSTEM, thing) && canAdmin(SYSTEM, thing) && canCreateIn(SYSTEM, thing.namespaceId),
        ).toBe(true);
      }),
    );
  });
});
