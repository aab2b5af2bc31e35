// What authentication asks of the shared catalogs. The floors above fill it in (`setAuthCatalog`, at warm-up).

export interface AuthRole {
  isSuperuser: boolean;
  /** rolpassword: a SCRAM or MD5 secret, or null. */
  password: string | null;
  /** rolvaliduntil in milliseconds since 1970, or null. */
  validUntilMs: number | null;
}

export interface AuthCatalog {
  /** Undefined: no such role. */
  role(name: string): AuthRole | undefined;
  /** Whether the user is a member of the group, directly or not (not because of being a superuser). */
  isMember(user: string, group: string): boolean;
}

export let authCatalog: AuthCatalog = {
  role: () => undefined,
  isMember: () => false,
};

export function setAuthCatalog(catalog: AuthCatalog): void {
  authCatalog = catalog;
}
