# SPDX-License-Identifier: MIT
"""
The official JSON-Schema-Test-Suite, draft 2020-12 with all that is optional, against src/schema. Its files are those of
Debian's package libtest-json-schema-acceptance-perl (or in JSON_SCHEMA_TEST_SUITE, a folder with "tests" and "remotes").
What does not pass must be listed in tests/schema/unsupported, with the reason, and what is listed must not pass.

Nothing is ever fetched, so the documents that the suite has on http://localhost:1234 are put into "$defs" of the schemas
that want them, as "bundling" has it (JSON Schema 2020-12 core, section 9.3). Formats are assertions for the tests of
optional formats and annotations for all others. Speaks TAP: one line a file.
"""
import glob
import json
import os
import subprocess
import sys

source = os.environ.get('top_srcdir', '.')
build = os.environ.get('top_builddir', '.')
suite = os.environ.get('JSON_SCHEMA_TEST_SUITE', '/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance')
SERVER = 'http://localhost:1234/'


class Number:
    """A number as it was written."""

    def __init__(self, text):
        self.text = text


def write(value):
    if isinstance(value, Number):
        return value.text
    if isinstance(value, list):
        return '[' + ','.join(map(write, value)) + ']'
    if isinstance(value, dict):
        return '{' + ','.join(json.dumps(k) + ':' + write(v) for k, v in value.items()) + '}'
    return json.dumps(value)


def read(path):
    with open(path, encoding='utf-8') as f:
        return json.load(f, parse_float=Number, parse_int=Number)


def remotes():
    """The suite's other documents, each with the URI that it is found at as its own."""
    documents = {}
    root = os.path.join(suite, 'remotes')
    for path in sorted(glob.glob(root + '/*.json') + glob.glob(root + '/draft2020-12/**/*.json', recursive=True)):
        uri = SERVER + os.path.relpath(path, root)
        document = read(path)
        if '/draft/2020-12/' not in document.get('$schema', '/draft/2020-12/'):
            continue
        if document.get('$id', uri) != uri:
            document = {'$id': uri, '$ref': document['$id'], '$defs': {'document': document}}
        documents[uri] = dict(document, **{'$id': uri})
    return documents


def bundle(schema, documents):
    if SERVER not in json.dumps(schema, default=str):
        return schema
    own = json.dumps(schema, default=str)
    others = {uri: d for uri, d in documents.items()
              if f'"$id": "{uri}"' not in own and (uri in own or uri.startswith(SERVER + 'draft2020-12/'))}
    return dict(schema, **{'$defs': dict(schema.get('$defs', {}), **others)})


class Validator:
    def __init__(self):
        self.process = subprocess.Popen([build + '/tests/programs/schema-cli'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, schema, instances, formats):
        line = write({'schema': schema, 'instances': instances, 'assert': formats})
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip('\n')

    def verdicts(self, schema, instances, formats):
        """One "v" or "i" an instance, and why if there are none. What our parser refuses is not valid."""
        answer = self.ask(schema, instances, formats)
        if answer.startswith('refused'):
            alone = self.ask(schema, [], formats)
            if alone:
                return None, alone
            answer = ''.join(self.ask(schema, [i], formats)[0].replace('r', 'i') for i in instances)
        return (None, answer) if answer.startswith('error') else (answer, '')


def unsupported():
    """Rows FILE :: GROUP :: TEST :: REASON, TEST may be *."""
    rows = {}
    with open(source + '/tests/schema/unsupported', encoding='utf-8') as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                file, group, test, reason = [part.strip() for part in line.split(' :: ')]
                assert reason, line
                rows[file, group, test] = reason
    return rows


def main():
    tests = os.path.join(suite, 'tests/draft2020-12')
    if not os.path.isdir(tests):
        print('1..0 # SKIP the package libtest-json-schema-acceptance-perl is not installed')
        return 0
    validator, documents, listed = Validator(), remotes(), unsupported()
    passed = failed = expected = n = 0
    good = True
    for path in sorted(glob.glob(tests + '/**/*.json', recursive=True)):
        file = os.path.relpath(path, tests)[:-len('.json')]
        wrong, count, known = [], 0, 0
        for group in read(path):
            verdicts, why = validator.verdicts(bundle(group['schema'], documents) if isinstance(group['schema'], dict)
                                               else group['schema'], [t['data'] for t in group['tests']],
                                               file.startswith('optional/'))
            for i, test in enumerate(group['tests']):
                name = ' :: '.join((file, group['description'].strip(), test['description'].strip()))
                right = verdicts is not None and verdicts[i] == ('v' if test['valid'] else 'i')
                row = next((k for k in ((file, group['description'].strip(), test['description'].strip()),
                                        (file, group['description'].strip(), '*')) if k in listed), None)
                count += 1
                passed += right
                failed += not right
                known += not right and row is not None
                if right and row:
                    wrong.append(f'{name}: passes, but is listed as unsupported')
                elif not right and not row:
                    wrong.append(f'{name}: is {"in" if test["valid"] else ""}valid here {why}')
        n += 1
        expected += known
        good = good and not wrong
        print(f'{"not " if wrong else ""}ok {n} - {file}: {count} tests' + (f', {known} not supported' if known else ''))
        for line in wrong:
            print('#', line)
    n += 1
    good = good and passed > 1500
    print(f'{"ok" if passed > 1500 else "not ok"} {n} - {passed} tests passed, {failed} failed, {expected} of them listed')
    print(f'1..{n}')
    validator.process.stdin.close()
    return 0 if validator.process.wait() == 0 and good else 1


sys.exit(main())
