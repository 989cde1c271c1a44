import { describe, expect, it } from 'vitest';
import { canManage, canUse } from '#lib/endpoints/access.ts';
import type { EndpointRecord } from '#lib/endpoints/db.ts';
import { ANONYMOUS, type OrgRole, type UserPrincipal } from '#lib/identity/principal.ts';

const user = (
  id: string,
  roles: Record<string, OrgRole> = {},
  more: Partial<UserPrincipal> = {},
): UserPrincipal => ({
  kind: 'user',
  id,
  name: id,
  fullname: id,
  email: null,
  isAdmin: false,
  orgs: Object.entries(roles).map(([org, role]) => ({ id: org, name: org, fullname: org, role })),
  via: 'session',
  token: null,
  ...more,
});

const endpoint = (namespaceId: string, repo: Partial<EndpointRecord['repo']> = {}) =>
  ({
    namespaceId,
    createdBy: 'creator',
    repo: { namespaceId: 'acme', visibility: 'private', isDeleted: false, ...repo },
  }) as EndpointRecord;

describe('who may use and manage an endpoint', () => {
  it('a public model: anyone who signed in, nobody else', () => {
    const open = endpoint('acme', { visibility: 'public' });
    expect(canUse(user('stranger'), open)).toBe(true);
    expect(canUse(ANONYMOUS, open)).toBe(false);
    expect(canManage(user('stranger'), open)).toBe(false);
  });

  it('a private model: members of the endpoint’s namespace who may read the model now', () => {
    const closed = endpoint('acme');
    expect(canUse(user('u', { acme: 'read' }), closed)).toBe(true);
    expect(canUse(user('u', { other: 'admin' }), closed)).toBe(false);
    expect(canUse(user('u', {}, { isAdmin: true }), closed)).toBe(false);
    // Deployed under one's own name from an organization that one has left since.
    expect(canUse(user('u', { acme: 'read' }), endpoint('u'))).toBe(true);
    expect(canUse(user('u'), endpoint('u'))).toBe(false);
  });

  it('a model that was deleted: nobody', () => {
    expect(canUse(user('acme'), endpoint('acme', { isDeleted: true, visibility: 'public' }))).toBe(false);
  });

  it('managing takes the right to write in its namespace, or to run the machine', () => {
    const closed = endpoint('acme');
    expect(canManage(user('u', { acme: 'write' }), closed)).toBe(true);
    expect(canManage(user('u', { acme: 'read' }), closed)).toBe(false);
    expect(canManage(user('creator', { acme: 'contributor' }), closed)).toBe(true);
    expect(canManage(user('u', { acme: 'contributor' }), closed)).toBe(false);
    expect(canManage(user('root', {}, { isAdmin: true }), closed)).toBe(true);
    const token = { id: 't', name: 't', role: 'read', createdAt: '' } as const;
    expect(canManage(user('u', { acme: 'admin' }, { via: 'token', token }), closed)).toBe(false);
  });
});
