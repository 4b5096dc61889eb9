/* A stand-in for the library bcryptprimitives.dll, of which std takes its random numbers and which older wines lack. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(unsigned char *data, SIZE_T size)
{
    return RtlGenRandom(data, (ULONG)size);
}
