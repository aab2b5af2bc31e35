// What comes from a keyboard, cut into keys: a run of text, a name like "C-a", "M-b", "up", or what was pasted.

export interface Key {
  /** "text" and "paste" carry theirs; all others are commands. */
  name: string;
  text: string;
}

/** Final letters of CSI and SS3 sequences, numbers of those that end in "~". */
const LETTERS: Record<string, string> = { A: 'up', B: 'down', C: 'right', D: 'left', F: 'end', H: 'home', Z: 'S-tab' };
const NUMBERS: Record<string, string> = { 1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pageup', 6: 'pagedown', 7: 'home', 8: 'end' };
const CONTROLS: Record<string, string> = { '\r': 'enter', '\n': 'enter', '\t': 'tab', '\x7f': 'backspace', '\b': 'backspace', '\0': 'C-@', '\x1c': 'C-\\', '\x1d': 'C-]', '\x1e': 'C-^', '\x1f': 'C-_' };
/* oxlint-disable no-control-regex -- keys are control characters */
const COMPLETE = /^(?:\x1b\[200~([^]*?)\x1b\[201~|\x1b\[(?!200~)([0-9;?]*)([@-~])|\x1bO([@-~])|\x1b([^[O\x1b])|([\x00-\x1a\x1c-\x1f\x7f])|([^\x00-\x1f\x7f]+))/;
const INCOMPLETE = /^\x1b(?:\[200~(?![^]*\x1b\[201~)[^]*|\[[0-9;?]*|O)?$/;
/* oxlint-enable no-control-regex */

function controlName(c: string): string {
  return CONTROLS[c] ?? `C-${String.fromCharCode(c.charCodeAt(0) + 96)}`;
}

/** "1;5": what stands before the key's number or letter when others are held. */
function held(parameters: string): string {
  const bits = Number(parameters.split(';')[1] ?? '1') - 1;
  return `${(bits & 4) !== 0 ? 'C-' : ''}${(bits & 2) !== 0 ? 'M-' : ''}`;
}

/** Keys found so far; an unfinished sequence waits for its rest. */
export class KeyReader {
  private rest = '';

  read(text: string): Key[] {
    this.rest += text;
    const keys: Key[] = [];
    while (this.rest !== '' && !INCOMPLETE.test(this.rest)) {
      const m = COMPLETE.exec(this.rest);
      // An Escape before another one, or before what is no sequence, means nothing.
      this.rest = this.rest.slice(m?.[0].length ?? 1);
      if (m === null) continue;
      const [, pasted, parameters, letter, ss3, meta, control, plain] = m;
      if (pasted !== undefined) keys.push({ name: 'paste', text: pasted });
      else if (plain !== undefined) keys.push({ name: 'text', text: plain });
      else if (control !== undefined) keys.push({ name: controlName(control), text: control });
      else if (meta !== undefined) keys.push({ name: meta < ' ' || meta === '\x7f' ? `M-${controlName(meta)}` : `M-${meta}`, text: meta });
      else {
        const name = letter === '~' ? NUMBERS[parameters!.split(';')[0]!] : LETTERS[letter ?? ss3!];
        if (name !== undefined) keys.push({ name: held(parameters ?? '') + name, text: '' });
      }
    }
    return keys;
  }
}
