"""Writes a schema file with N models of ten columns and N channels: every fourth one a message channel, the others on models."""

import sys

count = int(sys.argv[1])
print("version: 1\ndefaults: {allow: [W0004, W0007]}\nmodels:")
for n in range(count):
    print(f"  model_{n}:\n    doc: Model number {n}.\n    table: app.table_{n}\n    columns:")
    print("      id:         bigint pk")
    for name, ty in [("name", "text"), ("email", "text?"), ("amount", "numeric(20,2)"), ("ratio", "double precision?"),
                     ("created_at", "timestamptz"), ("birthday", "date?"), ("tags", '"text[]"'), ("data", "jsonb?"), ("key", "uuid")]:
        print(f"      {name + ':':<11} {ty}")
print("channels:")
for n in range(count):
    if n % 4 == 3:
        print(f"  message_{n}: {{message: {{id: int, kind: 'string = \"x\"', at: datetime?}}}}")
    else:
        print(f"  changed_{n}: {{on: model_{n}, after: [insert, update, delete], changed: {{any: [name, amount]}}}}")
