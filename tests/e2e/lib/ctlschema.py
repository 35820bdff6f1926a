"""occtl's JSON against doc/occtl.schema.json."""
import json
import os

import jsonschema

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../doc/occtl.schema.json")


def load():
    with open(SCHEMAS) as schemas:
        return json.load(schemas)


def parse(t, text, name, what):
    """The values of TEXT, JSON documents one after the other, each checked against definition NAME."""
    def once(pairs):
        keys = [key for key, _ in pairs]
        t.expect(len(keys) == len(set(keys)), "a key twice in the output of " + what, text)
        return dict(pairs)
    schema = {"$ref": "#/$defs/" + name, "$defs": load()["$defs"]}
    decoder, values = json.JSONDecoder(object_pairs_hook=once), []
    rest = text.strip()
    try:
        while rest:
            value, end = decoder.raw_decode(rest)
            jsonschema.validate(value, schema)
            values.append(value)
            rest = rest[end:].lstrip()
    except (ValueError, jsonschema.ValidationError) as error:
        t.expect(False, "JSON of %s: %s" % (what, error), text)
    return values


def check(t, server, name, *command, code=0):
    """The JSON of COMMAND, checked against definition NAME."""
    run = server.occtl("-j", *command, check=False)
    t.equal(run.returncode, code, "exit code of " + " ".join(command))
    values = parse(t, run.stdout, name, " ".join(command))
    t.equal(len(values), 1, "documents of " + " ".join(command))
    return values[0]
