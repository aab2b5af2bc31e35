// Every keyword of a connection string, its environment variable, what it is when nobody says (PQconninfoOptions of
// fe-connect.c), in libpq's order.
export interface Keyword { env?: string; value?: string }

export const KEYWORDS = {
  service: { env: 'PGSERVICE' },
  user: { env: 'PGUSER' },
  password: { env: 'PGPASSWORD' },
  passfile: { env: 'PGPASSFILE' },
  channel_binding: { env: 'PGCHANNELBINDING', value: 'prefer' },
  connect_timeout: { env: 'PGCONNECT_TIMEOUT' },
  dbname: { env: 'PGDATABASE' },
  host: { env: 'PGHOST' },
  hostaddr: { env: 'PGHOSTADDR' },
  port: { env: 'PGPORT', value: '5432' },
  client_encoding: { env: 'PGCLIENTENCODING' },
  options: { env: 'PGOPTIONS', value: '' },
  application_name: { env: 'PGAPPNAME' },
  fallback_application_name: {},
  keepalives: {}, keepalives_idle: {}, keepalives_interval: {}, keepalives_count: {},
  tcp_user_timeout: {},
  sslmode: { env: 'PGSSLMODE', value: 'prefer' },
  sslcompression: { env: 'PGSSLCOMPRESSION', value: '0' },
  sslcert: { env: 'PGSSLCERT' },
  sslkey: { env: 'PGSSLKEY' },
  sslpassword: {},
  sslrootcert: { env: 'PGSSLROOTCERT' },
  sslcrl: { env: 'PGSSLCRL' },
  sslcrldir: { env: 'PGSSLCRLDIR' },
  sslsni: { env: 'PGSSLSNI', value: '1' },
  requirepeer: { env: 'PGREQUIREPEER' },
  require_auth: { env: 'PGREQUIREAUTH' },
  ssl_min_protocol_version: { env: 'PGSSLMINPROTOCOLVERSION', value: 'TLSv1.2' },
  ssl_max_protocol_version: { env: 'PGSSLMAXPROTOCOLVERSION' },
  gssencmode: { env: 'PGGSSENCMODE', value: 'disable' },
  replication: {},
  target_session_attrs: { env: 'PGTARGETSESSIONATTRS', value: 'any' },
  load_balance_hosts: { env: 'PGLOADBALANCEHOSTS', value: 'disable' },
} as const satisfies Record<string, Keyword>;

export type KeywordName = keyof typeof KEYWORDS;
/** Settings by keyword; numbers and truth values may be given as such. */
export type ConnectSettings = { [name in KeywordName]?: string | number | boolean | undefined };
export type Conninfo = { [name in KeywordName]?: string };

/** Environment variables that become settings of the session at start. */
export const SESSION_ENV = { PGDATESTYLE: 'datestyle', PGTZ: 'timezone', PGGEQO: 'geqo' } as const;

export const isKeyword = (name: string): name is KeywordName => Object.hasOwn(KEYWORDS, name);
