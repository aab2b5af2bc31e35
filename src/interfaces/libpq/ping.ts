// PQping: whether a server accepts connections. No password and no right name are needed: any refusal but "not now" comes
// from a server that works.
import { connect } from './connection.ts';
import type { ConnectSettings } from './conninfo_keywords.ts';
import { ConnectionError, ServerError } from './errors.ts';

/** 'ok', 'reject' (starting up, shutting down), 'no response', 'no attempt' (the settings make no sense). */
export type PingStatus = 'ok' | 'reject' | 'no response' | 'no attempt';

export async function ping(conninfo: string | ConnectSettings = ''): Promise<PingStatus> {
  try {
    const connection = await connect(conninfo, { onWarning: () => {} });
    await connection.finish();
    return 'ok';
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (error.needsPassword) return 'ok';
    if (error.cause instanceof ServerError) return error.cause.code === '57P03' ? 'reject' : 'ok';
    return error.cause === undefined && !/failed: |could not translate|timeout|^invalid (integer value|port number)/.test(error.message) ? 'no attempt' : 'no response';
  }
}
