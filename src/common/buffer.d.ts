// Buffer's encoding methods that Node has (they skip the encoding look-up) and its types leave out.
interface Buffer {
  utf8Write(text: string, offset?: number, length?: number): number;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Slice(start?: number, end?: number): string;
  latin1Slice(start?: number, end?: number): string;
}
