// Transactions as functions: begin(fn) commits what fn did, or rolls back when it throws; a savepoint likewise.
import { escapeIdentifier } from './escape.ts';
import { Session, type Carrier } from './session.ts';

export interface TransactionOptions {
  isolation?: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable' | undefined;
  readOnly?: boolean | undefined;
  deferrable?: boolean | undefined;
}

function beginStatement({ isolation, readOnly, deferrable }: TransactionOptions): string {
  const modes = [];
  if (isolation !== undefined) modes.push(`ISOLATION LEVEL ${isolation.toUpperCase()}`);
  if (readOnly !== undefined) modes.push(readOnly ? 'READ ONLY' : 'READ WRITE');
  if (deferrable !== undefined) modes.push(deferrable ? 'DEFERRABLE' : 'NOT DEFERRABLE');
  return `BEGIN${modes.length > 0 ? ' ' : ''}${modes.join(', ')}`;
}

/** What a transaction's function gets; of no use after it. */
export class Transaction extends Session {
  private readonly held: Carrier;
  private over = false;
  private savepoints = 0;
  private lastSavepoint: Promise<unknown> = Promise.resolve();

  constructor(carrier: Carrier) {
    super();
    this.held = carrier;
  }

  protected get carrier(): Carrier {
    if (this.over) throw new Error('the transaction has ended');
    return this.held;
  }

  end(): void {
    this.over = true;
  }

  /** Runs `fn` in a savepoint; what it throws undoes only what was done since. Savepoints asked for together wait for each other. */
  savepoint<T>(fn: (tx: Transaction) => T | Promise<T>): Promise<T> {
    const run = this.lastSavepoint.then(() => this.runSavepoint(fn));
    this.lastSavepoint = run.catch(() => {});
    return run;
  }

  /** The same: a transaction inside a transaction. */
  begin<T>(fn: (tx: Transaction) => T | Promise<T>): Promise<T> {
    return this.savepoint(fn);
  }

  private async runSavepoint<T>(fn: (tx: Transaction) => T | Promise<T>): Promise<T> {
    const name = escapeIdentifier(`s${++this.savepoints}`);
    await this.exec(`SAVEPOINT ${name}`);
    const inner = new Transaction(this.carrier);
    try {
      const value = await fn(inner);
      await this.exec(`RELEASE SAVEPOINT ${name}`);
      return value;
    } catch (error) {
      await this.exec(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`);
      throw error;
    } finally {
      inner.end();
    }
  }
}

/** A transaction on a session that nobody else uses meanwhile. */
export async function runTransaction<T>(carrier: Carrier, options: TransactionOptions, fn: (tx: Transaction) => T | Promise<T>): Promise<T> {
  const tx = new Transaction(carrier);
  // BEGIN goes out together with the first statement.
  const begun = tx.exec(beginStatement(options));
  begun.catch(() => {});
  try {
    const value = await fn(tx);
    await begun;
    const ended = await tx.exec('COMMIT');
    if (ended[0]?.tag === 'ROLLBACK') throw new Error('the transaction was rolled back, because a statement in it failed');
    return value;
  } catch (error) {
    await tx.exec('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    tx.end();
  }
}
