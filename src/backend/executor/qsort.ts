// PostgreSQL's quicksort (Bentley and McIlroy's, lib/sort_template.h): not stable, but rows that tie come in the order
// that PostgreSQL gives them, which people get used to. Input that is in order already takes one pass.
import { checkForInterrupts } from '../utils/interrupts.ts';

export type Compare<T> = (a: T, b: T) => number;

/** Sorts `count` elements of an array, those from `from` on. */
export function quicksort<T>(a: T[], compare: Compare<T>, from = 0, count = a.length - from): void {
  for (;;) {
    const end = from + count;
    if (count < 7) {
      insertionSort(a, compare, from, end);
      return;
    }
    let i = from + 1;
    while (i < end && compare(a[i - 1]!, a[i]!) <= 0) i++;
    if (i === end) return;
    if (i === from + 1 && isDescending(a, compare, from, end)) {
      for (let low = from, high = end - 1; low < high; low++, high--) swap(a, low, high);
      return;
    }
    checkForInterrupts();
    swap(a, from, pivot(a, compare, from, count));
    // Equal ones gather at both ends: [from, equalLeft) and (equalRight, end).
    let equalLeft = from + 1, left = equalLeft, right = end - 1, equalRight = right;
    for (;;) {
      for (let order; left <= right && (order = compare(a[left]!, a[from]!)) <= 0; left++) if (order === 0) swap(a, equalLeft++, left);
      for (let order; left <= right && (order = compare(a[right]!, a[from]!)) >= 0; right--) if (order === 0) swap(a, right, equalRight--);
      if (left > right) break;
      swap(a, left++, right--);
    }
    swapStretches(a, from, left, Math.min(equalLeft - from, left - equalLeft));
    swapStretches(a, left, end, Math.min(equalRight - right, end - equalRight - 1));
    const less = left - equalLeft, more = equalRight - right;
    // The shorter part by recursion, the longer one in this loop.
    if (less <= more) {
      if (less > 1) quicksort(a, compare, from, less);
      if (more <= 1) return;
      from = end - more;
      count = more;
    } else {
      if (more > 1) quicksort(a, compare, end - more, more);
      if (less <= 1) return;
      count = less;
    }
  }
}

/** Each element before the next: no ties, so turning them round gives what sorting does. */
function isDescending<T>(a: T[], compare: Compare<T>, from: number, end: number): boolean {
  for (let i = from + 1; i < end; i++) if (compare(a[i - 1]!, a[i]!) <= 0) return false;
  return true;
}

function insertionSort<T>(a: T[], compare: Compare<T>, from: number, end: number): void {
  for (let i = from + 1; i < end; i++) {
    const x = a[i]!;
    let to = i;
    for (; to > from && compare(a[to - 1]!, x) > 0; to--) a[to] = a[to - 1]!;
    a[to] = x;
  }
}

function pivot<T>(a: T[], compare: Compare<T>, from: number, count: number): number {
  const middle = from + (count >> 1);
  if (count <= 7) return middle;
  const last = from + count - 1;
  if (count <= 40) return median(a, compare, from, middle, last);
  const d = count >> 3;
  return median(a, compare, median(a, compare, from, from + d, from + 2 * d), median(a, compare, middle - d, middle, middle + d),
    median(a, compare, last - 2 * d, last - d, last));
}

function median<T>(a: T[], compare: Compare<T>, x: number, y: number, z: number): number {
  if (compare(a[x]!, a[y]!) < 0) return compare(a[y]!, a[z]!) < 0 ? y : compare(a[x]!, a[z]!) < 0 ? z : x;
  return compare(a[y]!, a[z]!) > 0 ? y : compare(a[x]!, a[z]!) < 0 ? x : z;
}

function swap<T>(a: T[], i: number, j: number): void {
  const x = a[i]!;
  a[i] = a[j]!;
  a[j] = x;
}

/** Exchanges `count` elements from `start` on with those before `end`. */
function swapStretches<T>(a: T[], start: number, end: number, count: number): void {
  for (let i = 0; i < count; i++) swap(a, start + i, end - count + i);
}
