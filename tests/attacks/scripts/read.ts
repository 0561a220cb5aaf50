/** The script attacks of this folder: each file's first lines say how it must end and what it is granted. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ScriptAttack {
  name: string;
  script: string;
  /** Outcomes, any of which is containment; `issued`: the host's own reply. */
  expected: readonly string[];
  /** The reply's text, where the attack is allowed to author it. */
  text: string | null;
  /** Tools. */
  grants: readonly string[];
}

export function scriptAttacks(): ScriptAttack[] {
  const folder = new URL('.', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.script'));
  return files.map((file) => {
    const script = readFileSync(new URL(file, folder), 'utf8');
    const header = (name: string) => new RegExp(`^// ${name}: (.*)$`, 'm').exec(script)?.[1] ?? null;
    return {
      name: file.replace('.script', ''),
      script,
      expected: header('expect')!.split('|'),
      text: header('text'),
      grants: header('grants')?.split(', ') ?? [],
    };
  });
}
