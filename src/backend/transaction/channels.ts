// Who listens to which channel (LISTEN, UNLISTEN).

export class Channels<Session> {
  private readonly byName = new Map<string, Set<Session>>();
  private readonly bySession = new Map<Session, Set<string>>();

  listen(session: Session, channel: string): void {
    const listeners = this.byName.get(channel), channels = this.bySession.get(session);
    if (listeners === undefined) this.byName.set(channel, new Set([session]));
    else listeners.add(session);
    if (channels === undefined) this.bySession.set(session, new Set([channel]));
    else channels.add(channel);
  }

  unlisten(session: Session, channel: string): void {
    const listeners = this.byName.get(channel), channels = this.bySession.get(session);
    if (listeners?.delete(session) === true && listeners.size === 0) this.byName.delete(channel);
    if (channels?.delete(channel) === true && channels.size === 0) this.bySession.delete(session);
  }

  unlistenAll(session: Session): void {
    for (const channel of [...this.bySession.get(session) ?? []]) this.unlisten(session, channel);
  }

  listeners(channel: string): Iterable<Session> {
    return this.byName.get(channel) ?? [];
  }
}
