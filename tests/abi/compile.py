# SPDX-License-Identifier: Apache-2.0
"""Compiles every public header alone, all together and in reverse order, as an application would:
with strict warnings as errors, in several standards, with and without -fshort-wchar.

    compile.py COMPILER c|c++ INCLUDE_DIR... -- HEADER...

Exits 77 when the compiler is not installed.
"""
import itertools
import os
import shutil
import subprocess
import sys
import tempfile

USE_C = """
static IVdsDrive *drive_of(IUnknown *u)
{
	void *out = NULL;

	if (FAILED(IUnknown_QueryInterface(u, &IID_IVdsDrive, &out)))
		return NULL;
	return (IVdsDrive *)out;
}

LONG use(IUnknown *u);
LONG use(IUnknown *u)
{
	static const WCHAR name[] = VDS_TEXT("shelf");
	IVdsDrive *drive = drive_of(u);
	VDS_DRIVE_PROP prop;
	HRESULT hr = drive ? IVdsDrive_GetProperties(drive, &prop) : E_NOINTERFACE;

	switch (hr) {
	case VDS_E_OBJECT_DELETED:
		return 1;
	case HRESULT_CODE(VDS_E_NOT_SUPPORTED):
		return 2;
	}
	(void)sizeof(char[sizeof(WCHAR) == 2 && sizeof(name) == 12 && sizeof(LONG) == 4 ? 1 : -1]);
	return SUCCEEDED(hr) && prop.status == VDS_DRS_ONLINE ? 0 : (LONG)HRESULT_FROM_WIN32(5);
}
"""

USE_CPP = """
class Sink : public IVdsAdviseSink {
	ULONG refs = 1;

public:
	STDMETHODIMP QueryInterface(REFIID riid, void **out) override
	{
		if (!out)
			return E_POINTER;
		*out = nullptr;
		if (riid != IID_IUnknown && !IsEqualIID(riid, vds_iid_of<IVdsAdviseSink>()))
			return E_NOINTERFACE;
		*out = static_cast<IVdsAdviseSink *>(this);
		AddRef();
		return S_OK;
	}
	STDMETHODIMP_(ULONG) AddRef() override
	{
		return ++refs;
	}
	STDMETHODIMP_(ULONG) Release() override
	{
		return --refs;
	}
	STDMETHODIMP OnNotify(LONG count, VDS_NOTIFICATION *events) override
	{
		for (LONG i = 0; i < count; i++)
			if (events[i].objectType == VDS_NTT_DRIVE && events[i].Drive.ulEvent == VDS_NF_DRIVE_ARRIVE)
				return S_OK;
		return S_FALSE;
	}
};

HRESULT use(IVdsService *service);
HRESULT use(IVdsService *service)
{
	static Sink sink;
	static const WCHAR name[] = VDS_TEXT("shelf");
	VDS_ASYNC_OUTPUT out = {};
	DWORD cookie;

	static_assert(sizeof(name) == 12 && sizeof(WCHAR) == 2, "WCHAR has 16 bits");
	out.cp.volumeId = IID_IVdsService;
	return service->Advise(&sink, &cookie);
}
"""


def main():
    compiler, lang, *rest = sys.argv[1:]
    split = rest.index("--")
    includes, headers = rest[:split], rest[split + 1:]
    if not shutil.which(compiler):
        print(f"{compiler} is not installed")
        sys.exit(77)
    sets = [[h] for h in headers] + [headers, headers[::-1], ["vds.h", "vdshwprv.h"]]
    stds = ["c11", "gnu17"] if lang == "c" else ["c++11", "c++17", "gnu++20"]
    defines = [[], ["-DCOBJMACROS"]] if lang == "c" else [[], ["-DCINTERFACE", "-DCOBJMACROS"]]
    failed = runs = 0
    with tempfile.TemporaryDirectory() as tmp:
        source = os.path.join(tmp, "t." + ("c" if lang == "c" else "cc"))
        for std, wchar, define in itertools.product(stds, [[], ["-fshort-wchar"]], defines):
            body = "".join(f'#include "{h}"\n' for h in headers)
            use = [body + (USE_C if lang == "c" else USE_CPP)]
            if (lang == "c") != bool(define):
                use = []
            singles = ["".join(f'#include "{h}"\n' for h in s) for s in sets]
            # One translation unit holds what can be held in one: alone means first, so try each once
            # with the oldest standard and all together with every standard.
            for text in (singles if std == stds[0] else singles[-3:]) + use:
                with open(source, "w", encoding="utf-8") as f:
                    f.write(text)
                cmd = [compiler, f"-std={std}", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                       "-x", lang, *wchar, *define, *[f"-I{i}" for i in includes], source]
                runs += 1
                done = subprocess.run(cmd, capture_output=True, text=True)
                if done.returncode:
                    failed += 1
                    print(" ".join(cmd), "\n", text, done.stderr[:2000])
    print(f"{runs} translation units, {failed} failed")
    sys.exit(1 if failed else 0)


main()
