import { expect, it } from 'vitest';
import { AnswerOrder } from './answer-order.ts';

it('orders by the virtual end of each call, ties by number, and waits while a call is open', () => {
  const order = new AnswerOrder();
  const tokens = new Map<number, number>([
    [0, 5],
    [1, 3],
  ]);
  const tokensOf = (call: number) => tokens.get(call) ?? null;
  for (const call of [0, 1, 2]) order.ask(call);
  // Call 2 is open: it might have ended before call 1.
  expect(order.next(tokensOf)).toBeNull();
  tokens.set(2, 3);
  expect(order.next(tokensOf)).toBe(1);
  // Asked at time 3: ends at 3 + 2 = 5, like call 0, which is older; an answer of no tokens takes one unit.
  order.ask(3);
  order.ask(4);
  tokens.set(3, 2).set(4, 0);
  expect([order.next(tokensOf), order.next(tokensOf), order.next(tokensOf), order.next(tokensOf)]).toEqual([
    2, 4, 0, 3,
  ]);
  expect(order.waiting).toBe(0);
  expect(order.next(tokensOf)).toBeNull();
});
