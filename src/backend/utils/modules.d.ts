// What we use of packages that bring no types.
declare module 'ini' {
  export function decode(text: string, options?: { bracketedArray?: boolean }): unknown;
}
