// \if, \elif, \else, \endif (conditional.c): what was being read when a branch began comes back when it ends.
export type Branch = 'true' | 'false' | 'ignored' | 'else true' | 'else false';

interface Level { branch: Branch; query: string; parenDepth: number }

export class ConditionalStack {
  private readonly levels: Level[] = [];

  get empty(): boolean { return this.levels.length === 0; }
  get branch(): Branch | null { return this.levels.at(-1)?.branch ?? null; }
  get active(): boolean {
    const { branch } = this;
    return branch === null || branch === 'true' || branch === 'else true';
  }

  push(branch: Branch): void { this.levels.push({ branch, query: '', parenDepth: -1 }); }
  pop(): void { this.levels.pop(); }
  poke(branch: Branch): void { this.levels.at(-1)!.branch = branch; }

  save(query: string, parenDepth: number): void {
    const level = this.levels.at(-1);
    if (level !== undefined) Object.assign(level, { query, parenDepth });
  }

  get saved(): Level | null {
    const level = this.levels.at(-1);
    return level === undefined || level.parenDepth < 0 ? null : level;
  }
}
