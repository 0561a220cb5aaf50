/**
 * The text of a question's own rule of equality: one JavaScript function expression `(input, expected, output) => boolean`.
 * Only its form is judged here; it runs in an isolate (`activities/runtime/script/checker.ts`), never in this process.
 */
import { parseExpressionAt } from 'acorn';

const functions = new Set(['ArrowFunctionExpression', 'FunctionExpression']);

/** What is wrong with a checker's text, or null. */
export function checkerProblem(source: string): string | null {
  let found;
  try {
    found = parseExpressionAt(source, 0, { ecmaVersion: 2024, sourceType: 'module' });
  } catch (error) {
    return `is not JavaScript: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!functions.has(found.type)) return 'is not a function expression: expected (input, expected, output) => boolean';
  const rest = source.slice(found.end).trim();
  return rest === '' ? null : `goes on after the function: ${JSON.stringify(rest.slice(0, 40))}`;
}
