/** Who asks, whatever credential they showed: decided once per request, never looked at again (abuse.md rule 2). */
export type Principal = Anonymous | UserPrincipal | SystemPrincipal;

export interface Anonymous {
  readonly kind: 'anonymous';
}

/** The hub itself: workers and bootstrap. Never made from a request. */
export interface SystemPrincipal {
  readonly kind: 'system';
}

export type OrgRole = 'admin' | 'write' | 'contributor' | 'read';

export interface OrgMembership {
  readonly id: string;
  readonly name: string;
  readonly fullname: string;
  readonly role: OrgRole;
}

export interface UserPrincipal {
  readonly kind: 'user';
  /** 24-hex id; also the id of the user's namespace. */
  readonly id: string;
  readonly name: string;
  readonly fullname: string;
  readonly email: string | null;
  readonly isAdmin: boolean;
  readonly orgs: readonly OrgMembership[];
  /** How they proved it. A session may do what a write token may. */
  readonly via: 'session' | 'token';
  readonly token: {
    readonly id: string;
    readonly name: string;
    readonly role: 'read' | 'write';
    readonly createdAt: string;
  } | null;
}

export const ANONYMOUS: Anonymous = Object.freeze({ kind: 'anonymous' });
export const SYSTEM: SystemPrincipal = Object.freeze({ kind: 'system' });
