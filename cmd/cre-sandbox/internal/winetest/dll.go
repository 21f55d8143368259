//go:build unix

package winetest

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

const (
	fileAlignment = 0x200
	sectionStart  = 0x1000 // where the one section is in memory
	headerOffset  = 0x40   // of the PE header, after the DOS one
)

// randomDLL is bcryptprimitives.dll, which Go's runtime loads and Wine 8
// lacks: a library for amd64 without code, whose one export ProcessPrng is
// forwarded to RtlGenRandom, which advapi32 exports as SystemFunction036.
func randomDLL() []byte {
	section, directory := exportSection("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
	optional := pe.OptionalHeader64{
		Magic:                       0x20b, // PE32+
		SizeOfInitializedData:       fileAlignment,
		ImageBase:                   0x180000000,
		SectionAlignment:            sectionStart,
		FileAlignment:               fileAlignment,
		MajorOperatingSystemVersion: 6,
		MajorSubsystemVersion:       6,
		SizeOfImage:                 2 * sectionStart,
		SizeOfHeaders:               fileAlignment,
		Subsystem:                   pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics:          pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
		NumberOfRvaAndSizes:         16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = directory
	file := pe.FileHeader{
		Machine:              pe.IMAGE_FILE_MACHINE_AMD64,
		NumberOfSections:     1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	}
	table := pe.SectionHeader32{
		Name:             [8]uint8{'.', 'e', 'd', 'a', 't', 'a'},
		VirtualSize:      fileAlignment,
		VirtualAddress:   sectionStart,
		SizeOfRawData:    fileAlignment,
		PointerToRawData: fileAlignment,
		Characteristics:  pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	dos := make([]byte, headerOffset)
	copy(dos, "MZ")
	dos[headerOffset-4] = headerOffset
	headers := layOut(dos, []byte("PE\x00\x00"), file, optional, table)
	return append(padded(headers), padded(section)...)
}

// exportSection is an export directory with its tables and names, and where it
// is in memory. An export whose address is within the directory is a forward.
func exportSection(library, function, forward string) ([]byte, pe.DataDirectory) {
	type exports struct {
		Characteristics, Time, Version         uint32
		Name, FirstOrdinal                     uint32
		Functions, Names                       uint32 // how many
		FunctionTable, NameTable, OrdinalTable uint32 // where
		Function, FunctionName                 uint32
		Ordinal                                uint16
	}
	const tables = 40 // the directory proper ends here
	var e exports
	name := sectionStart + uint32(binary.Size(e))
	e.Name, e.FirstOrdinal, e.Functions, e.Names = name, 1, 1, 1
	e.FunctionTable, e.NameTable, e.OrdinalTable = sectionStart+tables, sectionStart+tables+4, sectionStart+tables+8
	e.FunctionName = name + uint32(len(library)) + 1
	e.Function = e.FunctionName + uint32(len(function)) + 1
	data := layOut(e, []byte(library+"\x00"+function+"\x00"+forward+"\x00"))
	return data, pe.DataDirectory{VirtualAddress: sectionStart, Size: uint32(len(data))}
}

// layOut puts values of fixed size one after the other, as Windows reads them.
func layOut(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
	}
	return b.Bytes()
}

func padded(data []byte) []byte {
	return append(data, make([]byte, fileAlignment-len(data))...)
}
