// SPDX-License-Identifier: Apache-2.0
// The same library from C++, written as a Windows client of VDS is. Argument: the fake service.
#include <cstdio>
#include <cstdlib>

#include <vds.h>
#include <vdsx.h>
#include <vdsxerr.h>

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

int main(int argc, char **argv)
{
	IVdsServiceLoader *loader = nullptr;
	IVdsxServiceLoader *stores = nullptr;
	IVdsService *service = nullptr;
	IUnknown *a = nullptr, *b = nullptr;
	VDS_SERVICE_PROP prop = {};

	EXPECT(argc == 2);
	setenv("VDS_SERVICE_LIBRARY", argv[1], 1);
	EXPECT(SUCCEEDED(CoInitializeEx(nullptr, COINIT_MULTITHREADED)));
	EXPECT(SUCCEEDED(CoCreateInstance(CLSID_VdsLoader, nullptr, CLSCTX_LOCAL_SERVER,
		IID_IVdsServiceLoader, reinterpret_cast<void **>(&loader))));
	EXPECT(SUCCEEDED(loader->QueryInterface(
		IID_IVdsxServiceLoader, reinterpret_cast<void **>(&stores))));
	EXPECT(SUCCEEDED(loader->QueryInterface(IID_IUnknown, reinterpret_cast<void **>(&a))));
	EXPECT(SUCCEEDED(stores->QueryInterface(IID_IUnknown, reinterpret_cast<void **>(&b))));
	EXPECT(a == b);
	a->Release();
	b->Release();
	EXPECT(stores->OpenStore(VDS_TEXT("/busy"), 0, &service) == HRESULT_FROM_WIN32(32));
	EXPECT(VdsxLastErrorText()[0] == 'T');
	EXPECT(SUCCEEDED(stores->OpenStore(VDS_TEXT("/a"), VDSX_OPEN_CREATE, &service)));
	EXPECT(SUCCEEDED(service->WaitForServiceReady()));
	EXPECT(SUCCEEDED(service->GetProperties(&prop)));
	EXPECT(prop.pwszVersion[1] == 'a');
	CoTaskMemFree(prop.pwszVersion);
	EXPECT(stores->Release() == 1);
	EXPECT(loader->Release() == 0);
	EXPECT(service->Release() == 0);
	CoUninitialize();
	return 0;
}
