// Pipeline mode: many statements without waiting, one Sync. Unless there is a BEGIN among them they are one transaction: the
// first that fails undoes all, and those behind it are skipped (PipelineAborted).
import type { Exchange } from './exchange.ts';
import { SyncQuery, type KeptStatement } from './queries.ts';
import { Session, type Carrier } from './session.ts';
import type { Types } from './types.ts';

export class Pipeline extends Session {
  private readonly inside: Carrier;

  constructor(outside: Carrier) {
    super();
    this.inside = new PipelineCarrier(outside);
  }

  protected get carrier(): Carrier {
    return this.inside;
  }

  /** A point where errors before it are over (PQpipelineSync). Rejects never: each statement tells its own error. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => { (this.inside as PipelineCarrier).outside.submit(new SyncQuery(resolve, reject)); });
  }
}

class PipelineCarrier implements Carrier {
  readonly outside: Carrier;
  constructor(outside: Carrier) {
    this.outside = outside;
  }

  get types(): Types { return this.outside.types; }
  nextName(): string { return this.outside.nextName(); }
  keptStatement(key: string): KeptStatement | null { return this.outside.keptStatement(key); }
  cancelExchange(exchange: Exchange): void { this.outside.cancelExchange(exchange); }

  submit(exchange: Exchange): void {
    if (!exchange.pipelines) {
      exchange.error = new Error('not allowed in pipeline mode: use query() or prepare()');
      exchange.settle();
      return;
    }
    exchange.endsWithSync = false;
    this.outside.submit(exchange);
  }
}
