// Random expressions whose results are certain: typed from the top, so that most of them run.

const LEAVES: Record<string, readonly string[]> = {
  int4: ['0', '1', '-7', '42', '2147483647', 'null::int4', 'a', 'b'],
  int8: ['0::int8', '9223372036854775807', '-5::int8', 'null::int8'],
  numeric: ['0.0', '1.50', '-3.14159', '1e20::numeric', 'null::numeric', "'NaN'::numeric"],
  float8: ['0::float8', '1.5::float8', "'-Infinity'::float8", '1e-7::float8', 'null::float8'],
  text: ["''", "'abc'", "'Zoë ❄'", "' x '", 'null::text', 's'],
  bool: ['true', 'false', 'null::bool', 'a < b', 's is null'],
};
const FORMS: Record<string, readonly string[]> = {
  int4: ['($int4 + $int4)', '($int4 - $int4)', '($int4 * $int4)', '($int4 / $int4)', '($int4 % $int4)', 'length($text)', 'case when $bool then $int4 else $int4 end',
    'coalesce($int4, $int4)', 'nullif($int4, $int4)', 'greatest($int4, $int4)', '($int4 & $int4)', 'abs($int4)', 'position($text in $text)', '($bool)::int4', 'sign($int4)::int4'],
  int8: ['($int8 + $int4)', '($int8 * $int8)', '($int8 / $int4)', 'mod($int8, $int8)', '$int4::int8', 'least($int8, $int8)', '($int8 # $int8)', 'gcd($int8, $int8)'],
  numeric: ['($numeric + $numeric)', '($numeric * $int4)', '($numeric / $numeric)', 'round($numeric, 2)', 'trunc($numeric)', '$int8::numeric', 'sqrt(abs($numeric))', 'div($numeric, $numeric)', 'power(abs($numeric), 2)'],
  float8: ['($float8 + $float8)', '($float8 * $int4)', '($float8 / $float8)', 'floor($float8)', 'sqrt(abs($float8))', '$int4::float8', '$numeric::float8', 'round($float8)'],
  text: ['($text || $text)', 'upper($text)', 'substr($text, $int4 % 5, 2)', 'trim($text)', 'repeat($text, $int4 % 3)', 'replace($text, $text, $text)', '$int4::text', '$numeric::text',
    '$float8::text', '$bool::text', 'left($text, 2)', 'lpad($text, 5, $text)', 'coalesce($text, $text)', 'md5($text)', 'reverse($text)', "concat_ws('-', $text, $int4, $bool)", 'split_part($text, $text, 1)'],
  bool: ['($int4 < $int4)', '($text = $text)', '($text like $text)', '($bool and $bool)', '($bool or $bool)', '(not $bool)', '($int4 in ($int4, $int4))', '($numeric >= $numeric)',
    '($int8 between $int4 and $int8)', '($float8 <> $float8)', '($text is distinct from $text)', '($int4 = any (array[$int4, $int4]))', '($bool is not true)', 'exists (select 1 where $bool)'],
};

export function expressions(random: (limit: number) => number, count: number): string[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const types = Object.keys(FORMS);
  const expression = (type: string, depth: number): string => {
    if (depth === 0 || random(4) === 0) return pick(LEAVES[type]!);
    return pick(FORMS[type]!).replace(/\$(\w+)/g, (_all, inner: string) => expression(inner, depth - 1));
  };
  return Array.from({ length: count }, () => {
    const from = "from (values (1, 2, 'abc'), (null, -3, ''), (7, null, null)) v(a, b, s)";
    const item = expression(pick(types), 3);
    switch (random(4)) {
      case 0: return `select ${item} as x ${from} where ${expression('bool', 2)}`;
      case 1: return `select ${expression('bool', 2)} as g, count(*), max(${expression('int4', 2)}) ${from} group by 1 order by 1`;
      default: return `select ${item} as x ${from}`;
    }
  });
}
