#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns src/cli/commands.json into the C table, man pages and completions.

usage: gen_commands.py {header|table|man|bash|zsh|fish} commands.json OUTPUT [VERSION]

Everything a user reads about a command comes from that one file. A command without summary,
description or example, or an option without a sentence about it, is an error here, so it does
not build.
"""
import json
import sys

TYPES = {"size": "SIZE", "bytes": "BYTES", "number": "N", "bool": "on|off", "text": "TEXT",
         "enum": None, "list": "LIST", "selector": "SELECTOR", "drives": "COUNTxSIZE",
         "slot": "BUS.SLOT"}
COMMAND_KEYS = {"verb", "nouns", "abbreviations", "handler", "target", "plain", "where", "changes",
                "destructive", "words", "options", "flags", "summary", "description", "examples",
                "since"}


class TableError(Exception):
    pass


def title(command):
    return " ".join([command["verb"]] + ["|".join(command.get("nouns", []))]).strip()


def option_syntax(o):
    kind = TYPES[o["type"]] or "|".join(o["values"])
    text = f"{o['name']}={kind}"
    return text if o.get("required") else f"[{text}]"


def word_syntax(w):
    values = w.get("values")
    text = w["name"] if not values or w["name"].isupper() else "|".join(values)
    if w.get("repeat"):
        text += "…"
    return text if w.get("required") else f"[{text}]"


def syntax(table, c):
    parts = [c["verb"]]
    nouns = c.get("nouns", [])
    if nouns:
        names = [plural(table, n) for n in nouns] if c["verb"] in ("list", "reenumerate") else nouns
        parts.append(names[0] if len(names) == 1 else "{" + "|".join(names) + "}")
    if c.get("target"):
        parts.append("[SELECTOR]")
    parts += [word_syntax(w) for w in c.get("words", [])]
    parts += [option_syntax(o) for o in c.get("options", [])]
    parts += [f"[{f['name']}]" for f in c.get("flags", [])]
    if c.get("where"):
        parts.append("[where CONDITION…]")
    return " ".join(parts)


def plural(table, noun):
    return next(n["plural"] for n in table["nouns"] if n["name"] == noun)


def need(where, item, *keys):
    for k in keys:
        if not isinstance(item.get(k), str) or not item[k].strip():
            raise TableError(f"{where}: no {k}")


def check(table):
    """Refuses a table with a hole in it."""
    nouns = {n["name"] for n in table["nouns"]}
    for n in table["nouns"]:
        need(f"noun {n.get('name')}", n, "name", "plural", "about")
    for g in table["globals"]:
        need(f"--{g.get('long')}", g, "long", "about")
    seen = set()
    for c in table["commands"]:
        where = title(c)
        need(where, c, "verb", "handler", "summary", "description")
        if set(c) - COMMAND_KEYS:
            raise TableError(f"{where}: unknown key {sorted(set(c) - COMMAND_KEYS)}")
        if not c["description"].rstrip().endswith("."):
            raise TableError(f"{where}: the description is no sentence")
        if not c.get("examples"):
            raise TableError(f"{where}: no example")
        for n in c.get("nouns", [None]):
            if n is not None and n not in nouns:
                raise TableError(f"{where}: unknown noun {n}")
            if (c["verb"], n) in seen:
                raise TableError(f"{c['verb']} {n}: defined twice")
            seen.add((c["verb"], n))
        for o in c.get("options", []):
            need(f"{where} {o.get('name')}=", o, "name", "type", "about")
            if o["type"] not in TYPES:
                raise TableError(f"{where} {o['name']}=: unknown type {o['type']}")
            if (o["type"] == "enum") != ("values" in o):
                raise TableError(f"{where} {o['name']}=: values belong to enum, and enum needs them")
            if o["type"] in ("list", "selector") and o.get("noun") not in nouns:
                raise TableError(f"{where} {o['name']}=: no noun")
        for w in c.get("words", []):
            need(f"{where} {w.get('name')}", w, "name", "about")
        for f in c.get("flags", []):
            need(f"{where} {f.get('name')}", f, "name", "about")
        for e in c["examples"]:
            if e[0].split()[0] != c["verb"]:
                raise TableError(f"{where}: example of another command: {e[0]}")


def c_string(text):
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def c_bool(value):
    return "true" if value else "false"


BANNER = "/* SPDX-License-Identifier: Apache-2.0 */\n" \
         "/* Made by tools/gen_commands.py from src/cli/commands.json. */\n"


def gen_header(table, out, version):
    out.write(BANNER + "#ifndef CLI_COMMANDS_GEN_H\n#define CLI_COMMANDS_GEN_H\n\n")
    out.write("enum cli_noun {\n\tCLI_NOUN_NONE,\n")
    for n in table["nouns"]:
        out.write(f"\tCLI_{n['name'].upper()},\n")
    out.write("\tCLI_NOUN_COUNT\n};\n\nstruct cli_ctx;\nstruct cli_line;\n\n")
    for h in sorted({c["handler"] for c in table["commands"]}):
        out.write(f"int cli_cmd_{h}(struct cli_ctx *ctx, const struct cli_line *line);\n")
    out.write("\n#endif\n")


def gen_values(out, name, values):
    if not values:
        return "NULL"
    out.write(f"static const char *const {name}[] = {{"
              + ", ".join(c_string(v) for v in values) + ", NULL};\n")
    return name


def gen_command_parts(out, i, c):
    """The arrays a command points to; returns their names and lengths."""
    words = []
    for k, w in enumerate(c.get("words", [])):
        values = gen_values(out, f"values_{i}_w{k}", w.get("values"))
        words.append(f"\t{{{c_string(w['name'])}, {values}, {c_bool(w.get('required'))}, "
                     f"{c_bool(w.get('repeat'))}, {c_string(w['about'])}}},\n")
    options = []
    for k, o in enumerate(c.get("options", [])):
        values = gen_values(out, f"values_{i}_o{k}", o.get("values"))
        noun = f"CLI_{o['noun'].upper()}" if "noun" in o else "CLI_NOUN_NONE"
        options.append(f"\t{{{c_string(o['name'])}, CLI_{o['type'].upper()}, {values}, {noun}, "
                       f"{c_bool(o.get('required'))}, {c_string(o['about'])}}},\n")
    flags = [f"\t{{{c_string(f['name'])}, {c_string(f['about'])}}},\n" for f in c.get("flags", [])]
    examples = [f"\t{{{c_string(e[0])}, {c_string(e[1])}}},\n" for e in c["examples"]]
    names = {}
    for kind, rows in (("word", words), ("option", options), ("flag", flags),
                       ("example", examples)):
        names[kind] = (f"{kind}s_{i}", len(rows)) if rows else ("NULL", 0)
        if rows:
            out.write(f"static const struct cli_{kind} {kind}s_{i}[] = {{\n{''.join(rows)}}};\n")
    return names


def gen_table(table, out, version):
    out.write(BANNER + '#include "cli/table.h"\n\n')
    rows = []
    for i, c in enumerate(table["commands"]):
        n = gen_command_parts(out, i, c)
        mask = " | ".join(f"1u << CLI_{x.upper()}" for x in c.get("nouns", [])) or "0"
        abbreviation = (c.get("abbreviations") or [None])[0]
        rows.append(
            f"\t{{.verb = {c_string(c['verb'])}, .abbreviation = {c_string(abbreviation)}, "
            f".nouns = {mask},\n\t .target = {c_bool(c.get('target'))}, "
            f".where = {c_bool(c.get('where'))}, .changes = {c_bool(c.get('changes'))}, "
            f".destructive = {c_bool(c.get('destructive'))},\n"
            f"\t .words = {n['word'][0]}, .word_count = {n['word'][1]}, "
            f".options = {n['option'][0]}, .option_count = {n['option'][1]},\n"
            f"\t .flags = {n['flag'][0]}, .flag_count = {n['flag'][1]}, "
            f".examples = {n['example'][0]}, .example_count = {n['example'][1]},\n"
            f"\t .syntax = {c_string(syntax(table, c))}, .summary = {c_string(c['summary'])},\n"
            f"\t .description = {c_string(c['description'])}, "
            f".since = {c_string(c.get('since', '0.1'))},\n\t .run = cli_cmd_{c['handler']}}},\n")
    out.write("\nconst struct cli_command cli_commands[] = {\n" + "".join(rows) + "};\n")
    out.write(f"const size_t cli_command_count = {len(rows)};\n\n")
    out.write('const struct cli_noun_info cli_nouns[CLI_NOUN_COUNT] = {\n\t{"", "", NULL, "", "", ""},\n')
    for n in table["nouns"]:
        out.write(f"\t{{{c_string(n['name'])}, {c_string(n['plural'])}, "
                  f"{c_string((n.get('abbreviations') or [None])[0])}, {c_string(n['about'])}, "
                  f"{c_string(n.get('text', n['name']))}, "
                  f"{c_string(n['text'] + 's' if 'text' in n else n['plural'])}}},\n")
    out.write("};\n\nconst struct cli_global cli_globals[] = {\n")
    for g in table["globals"]:
        letter = f"'{g['short']}'" if "short" in g else "0"
        out.write(f"\t{{{c_string(g['long'])}, {letter}, {c_string(g.get('arg'))}, "
                  f"{c_string(g['about'])}}},\n")
    out.write(f"}};\nconst size_t cli_global_count = {len(table['globals'])};\n")


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def roff_command(c, table, out):
    out.write(f".SS {roff(syntax(table, c))}\n{roff(c['description'])}\n")
    for w in c.get("words", []):
        values = w.get("values")
        name = "|\\:".join(roff(v) for v in values) if values else roff(w["name"])
        out.write(f".TP\n.B {name}\n{roff(w['about'])}\n")
    for o in c.get("options", []):
        out.write(f".TP\n.B {roff(option_syntax(o).strip('[]'))}\n{roff(o['about'])}\n")
    for f in c.get("flags", []):
        out.write(f".TP\n.B {roff(f['name'])}\n{roff(f['about'])}\n")
    out.write(".PP\n.nf\n")
    for e in c["examples"]:
        out.write(f".RS\nvds {roff(e[0])}\n.RE\n")
    out.write(".fi\n")


def gen_man(table, out, version):
    parts = MAN.replace("@VERSION@", version).split("@@")
    body = {"GLOBALS": lambda: [out.write(
                f".TP\n.B {roff(('-' + g['short'] + ', ') if 'short' in g else '')}"
                f"\\-\\-{roff(g['long'])}{' ' + roff(g['arg']) if 'arg' in g else ''}\n"
                f"{roff(g['about'])}\n") for g in table["globals"]],
            "NOUNS": lambda: [out.write(f".TP\n.B {n['name']}\n{roff(n['about'])}\n")
                              for n in table["nouns"]],
            "COMMANDS": lambda: [roff_command(c, table, out) for c in table["commands"]]}
    for part in parts:
        if part in body:
            body[part]()
        else:
            out.write(part)


MAN = r""".\" SPDX-License-Identifier: Apache-2.0
.\" Made by tools/gen_commands.py from src/cli/commands.json.
.TH VDS 1 "" "vds @VERSION@" "Virtual Disk Service"
.SH NAME
vds \- make and look after RAID arrays in files and disks
.SH SYNOPSIS
.B vds
.RI [ OPTIONS ]
.RI [ COMMAND ]
.br
.B vds
.RI [ OPTIONS ]
.B \-s
.I FILE
.SH DESCRIPTION
.B vds
makes LUNs with redundancy out of drives, keeps them in repair and reads and writes their data.
With
.B \-\-store
everything lives in one folder and needs neither a daemon nor root.
Without a command it is a shell with the prompt
.BR VDS> .
.PP
Start like this:
.PP
.nf
.RS
vds \-\-store /tmp/lab create subsystem drives=6x96MB
export VDS_STORE=/tmp/lab
vds create lun raid5 size=128MB drives=0\-3
vds setflag drive 5 hotspare=true
vds list luns
.RE
.fi
.SH OPTIONS
@@GLOBALS@@.SH OBJECTS
@@NOUNS@@.PP
Numbers are issued for each kind of object, from 0, and never used again.
A selector stands right after the noun: a number
.RB ( "drive 3" ),
a range
.RB ( "drive 1\-3" ),
an identity in braces, or one of
.BR name: TEXT,
.BR slot: BUS.SLOT,
.BR serial: TEXT
and
.BR path: FILE.
Without one the object in focus
.RB ( select )
counts.
.SH SIZES
A bare number is megabytes (1,048,576 bytes); KB, MB, GB, TB and PB count in powers of 1024, and so do KiB to PiB; B is bytes.
Offsets and the sizes of
.B read
and
.B fault
are bytes when bare.
.SH COMMANDS
@@COMMANDS@@.SH SCRIPTS
A script holds one command a line;
.B #
and
.B rem
begin comments. It ends at the first error unless the command carries the word
.B noerr
or
.B \-\-keep\-going
is given. Verbs, nouns and options are written out in scripts.
.SH EXIT STATUS
.TP
.B 0
done, also when there was nothing to change
.TP
.B 1
internal failure
.TP
.B 2
wrong options
.TP
.B 3
the script or an output file cannot be opened
.TP
.B 4
the operation was refused or failed; the message names the HRESULT
.TP
.B 5
the command is not well formed, or no suitable object is in focus
.TP
.B 6
cancelled
.TP
.B 7
waited too long; the job continues
.TP
.B 8
the store or the service cannot be reached
.TP
.B 9
.BR \-\-strict :
finished, but
.B noerr
hid failures
.TP
.B 20, 21, 22
.BR check :
redundancy lost or being rebuilt, data unavailable, cannot tell
.SH ENVIRONMENT
.TP
.B VDS_STORE
the folder of the store, when
.B \-\-store
is not given
.TP
.B NO_COLOR
no colours
.TP
.B VDS_LOG
error, warning, info or debug: how much the service reports on standard error
"""


def completion_model(table):
    verbs = {}
    for c in table["commands"]:
        v = verbs.setdefault(c["verb"], {"nouns": [], "words": set(), "about": c["summary"]})
        for n in c.get("nouns", []):
            v["nouns"].append(plural(table, n) if c["verb"] in ("list", "reenumerate") else n)
        for w in c.get("words", []):
            v["words"].update(w.get("values", []))
        v["words"].update(o["name"] + "=" for o in c.get("options", []))
        v["words"].update(f["name"] for f in c.get("flags", []))
    return verbs


def gen_bash(table, out, version):
    verbs = completion_model(table)
    longs = " ".join("--" + g["long"] for g in table["globals"])
    out.write("# SPDX-License-Identifier: Apache-2.0\n"
              "# bash completion for vds; made by tools/gen_commands.py\n_vds()\n{\n"
              "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb= noun= i store=()\n"
              "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
              "\t\tcase ${COMP_WORDS[i]} in\n"
              "\t\t--store) store=(--store \"${COMP_WORDS[i + 1]}\"); ((i++)) ;;\n"
              "\t\t--store=*) store=(\"${COMP_WORDS[i]}\") ;;\n\t\t-*) ;;\n"
              "\t\t*) if [ -z \"$verb\" ]; then verb=${COMP_WORDS[i]}; "
              "elif [ -z \"$noun\" ]; then noun=${COMP_WORDS[i]}; fi ;;\n"
              "\t\tesac\n\tdone\n"
              "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in\n"
              "\t--store) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
              "\t-s|--script) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
              "\tesac\n"
              f"\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '{longs}' -- \"$cur\")); "
              "return; fi\n"
              "\tif [ -n \"$noun\" ]; then\n"
              "\t\tlocal live=$(vds \"${store[@]}\" __complete \"$verb\" \"$noun\" 2>/dev/null)\n"
              "\tfi\n\tcase $verb in\n")
    out.write(f"\t'') COMPREPLY=($(compgen -W '{' '.join(verbs)}' -- \"$cur\")) ;;\n")
    for verb, v in verbs.items():
        words = " ".join(sorted(v["words"]))
        nouns = " ".join(v["nouns"])
        out.write(f"\t{verb})\n")
        if nouns:
            out.write(f"\t\tif [ -z \"$noun\" ]; then COMPREPLY=($(compgen -W '{nouns}' -- "
                      "\"$cur\")); else\n")
        out.write(f"\t\tCOMPREPLY=($(compgen -W \"{words} $live\" -- \"$cur\"))\n")
        if nouns:
            out.write("\t\tfi\n")
        out.write("\t\t;;\n")
    out.write("\tesac\n\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n}\n"
              "complete -F _vds vds\n")


def gen_zsh(table, out, version):
    verbs = completion_model(table)
    out.write("#compdef vds\n# SPDX-License-Identifier: Apache-2.0\n"
              "# zsh completion for vds; made by tools/gen_commands.py\n_vds()\n{\n"
              "\tlocal -a verbs words_\n\tlocal verb=${words[2]} noun=${words[3]}\n"
              "\tlocal -a store\n"
              "\tif [[ $verb == --store ]]; then store=(--store $words[3]); "
              "verb=$words[4]; noun=$words[5]; (( CURRENT -= 2 )); fi\n"
              "\tif (( CURRENT == 2 )); then\n\t\tverbs=(\n")
    for verb, v in verbs.items():
        about = v["about"].replace("'", "’").replace(":", "\\:")
        out.write(f"\t\t\t'{verb}:{about}'\n")
    for g in table["globals"]:
        about = g["about"].replace("'", "’").replace(":", "\\:")
        out.write(f"\t\t\t'--{g['long']}:{about}'\n")
    out.write("\t\t)\n\t\t_describe command verbs\n\t\treturn\n\tfi\n\tcase $verb in\n")
    for verb, v in verbs.items():
        out.write(f"\t{verb})\n\t\tif (( CURRENT == 3 )) && [[ -n '{' '.join(v['nouns'])}' ]]; "
                  f"then words_=({' '.join(v['nouns'])})\n"
                  f"\t\telse words_=({' '.join(repr(w) for w in sorted(v['words']))} "
                  "${(f)\"$(vds $store __complete $verb $noun 2>/dev/null)\"}); fi ;;\n")
    out.write("\tesac\n\tcompadd -a words_\n}\n_vds \"$@\"\n")


def gen_fish(table, out, version):
    verbs = completion_model(table)
    out.write("# SPDX-License-Identifier: Apache-2.0\n"
              "# fish completion for vds; made by tools/gen_commands.py\n"
              "complete -c vds -f\n")
    for g in table["globals"]:
        short = f" -s {g['short']}" if "short" in g else ""
        arg = " -r" if "arg" in g else ""
        about = g["about"].replace("'", "’")
        out.write(f"complete -c vds -l {g['long']}{short}{arg} -d '{about}'\n")
    for verb, v in verbs.items():
        about = v["about"].replace("'", "’")
        out.write(f"complete -c vds -n __fish_use_subcommand -a {verb} -d '{about}'\n")
        rest = " ".join(v["nouns"] + sorted(v["words"]))
        if rest:
            out.write(f"complete -c vds -n '__fish_seen_subcommand_from {verb}' -a '{rest}'\n")


def main(argv):
    if len(argv) < 4:
        sys.exit(__doc__)
    with open(argv[2], encoding="utf-8") as f:
        table = json.load(f)
    try:
        check(table)
    except TableError as e:
        sys.exit(f"{argv[2]}: {e}")
    kinds = {"header": gen_header, "table": gen_table, "man": gen_man, "bash": gen_bash,
             "zsh": gen_zsh, "fish": gen_fish}
    with open(argv[3], "w", encoding="utf-8") as out:
        kinds[argv[1]](table, out, argv[4] if len(argv) > 4 else "")


if __name__ == "__main__":
    main(sys.argv)
