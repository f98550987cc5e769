# SPDX-License-Identifier: GPL-2.0-or-later
# Check a document against the JSON Schema $schema: the keywords that ours uses.
#   jq -r --argfile schema SCHEMA -f schema.jq DOCUMENT
# prints a line for each violation, nothing if there is none.
def type_ok($types; $v):
  any([$types] | flatten | .[];
      . == ($v | type) or (. == "integer" and ($v | type) == "number" and
                           ($v | floor) == $v));
def violations($s; $v; $path):
  if $s | has("$ref") then
    ($s["$ref"] | ltrimstr("#/$defs/")) as $name |
    if $schema["$defs"] | has($name) then
      violations($schema["$defs"][$name]; $v; $path)
    else "\($path): the schema does not define \($name)" end
  else empty end,
  if ($s | has("type")) and (type_ok($s.type; $v) | not) then
    "\($path): is \($v | type), not \($s.type)"
  else empty end,
  if ($s | has("enum")) and ($s.enum | index([$v]) | not) then
    "\($path): \($v) is none of \($s.enum)"
  else empty end,
  if ($s | has("const")) and $s.const != $v then
    "\($path): \($v) is not \($s.const)"
  else empty end,
  if ($s | has("pattern")) and ($v | type) == "string" and
     ($v | test($s.pattern) | not) then
    "\($path): \($v) does not match \($s.pattern)"
  else empty end,
  if ($s | has("minimum")) and ($v | type) == "number" and $v < $s.minimum then
    "\($path): \($v) is too small"
  else empty end,
  if ($v | type) == "array" and ($v | length) < ($s.minItems // 0) then
    "\($path): too few items"
  else empty end,
  if ($v | type) == "array" and ($s | has("maxItems")) and
     ($v | length) > $s.maxItems then
    "\($path): too many items"
  else empty end,
  if ($v | type) == "object" then
    (($s.required // [])[] | select(. as $k | $v | has($k) | not) |
     "\($path): lacks \(.)"),
    (($s.properties // {}) | to_entries[] |
     select(.key as $k | $v | has($k)) |
     violations(.value; $v[.key]; "\($path).\(.key)"))
  else empty end,
  if ($v | type) == "array" and ($s | has("items")) then
    range($v | length) as $i |
      violations($s.items; $v[$i]; "\($path)[\($i)]")
  else empty end,
  (($s.allOf // [])[] | violations(.; $v; $path)),
  if $s | has("oneOf") then
    [$s.oneOf[] | [violations(.; $v; $path)]] |
    if map(select(. == [])) | length == 1 then empty
    else min_by(length)[] end
  else empty end;
violations($schema; .; "")
