// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/dwarf_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Of libdwarf's sections, those that types need; the last to open a unit of
 * clang's, as it looks at its addresses. */
static const char *const section_names[] = {
	".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str",
	".debug_str_offsets", ".debug_addr",
};
#define N_SECTIONS ARRAY_SIZE(section_names)

#ifdef DW_LIBDWARF_VERSION /* 0.2.0 (2021-10) and later */
typedef Dwarf_Obj_Access_Interface_a access_interface;
#else
typedef Dwarf_Obj_Access_Interface access_interface;
#endif

struct dwarf_object {
	access_interface interface;
	const struct elf_file *file;
	Elf_Scn *scn[N_SECTIONS]; /* NULL: not there */
	size_t bytes[N_SECTIONS];
	void *owned[N_SECTIONS];  /* decompressed or relocated contents */
	Dwarf_Debug debug;
	bool no_memory;
};

/* libdwarf's section numbers are ours plus one: 0 means none to it. */
static bool section_index(uint64_t number, size_t *ret)
{
	if (!number || number > N_SECTIONS)
		return false;
	*ret = (size_t)number - 1;
	return true;
}

/* Of a module: the contents with what its relocations say. */
static struct kml_error *relocate(struct dwarf_object *object, size_t i,
				  const uint8_t **data, size_t bytes)
{
	if (!elf_has_relocations(object->file, object->scn[i]))
		return NULL;
	if (!object->owned[i]) {
		object->owned[i] = malloc(bytes ? bytes : 1);
		if (!object->owned[i])
			return error_nomem();
		*data = memcpy(object->owned[i], *data, bytes);
	}
	return elf_relocate(object->file, object->scn[i], object->owned[i],
			    bytes);
}

static int load_section(struct dwarf_object *object, uint64_t number,
			Dwarf_Small **ret, int *error_ret)
{
	const uint8_t *data;
	struct kml_error *error;
	size_t i, bytes;

	if (!section_index(number, &i) || !object->scn[i])
		return DW_DLV_NO_ENTRY;
	error = elf_file_section(object->file, object->scn[i], &data, &bytes,
				 &object->owned[i]);
	if (!error)
		error = relocate(object, i, &data, bytes);
	if (error) {
		object->no_memory = kml_error_code(error) == KML_ERR_NOMEM;
		kml_error_destroy(error);
		*error_ret = DW_DLE_ZLIB_DATA_ERROR;
		return DW_DLV_ERROR;
	}
	/* libdwarf takes a plain pointer but does not write through it. */
	*ret = (Dwarf_Small *)(uintptr_t)data;
	return DW_DLV_OK;
}

static Dwarf_Small length_size(void *obj)
{
	(void)obj;
	return 4;
}

static Dwarf_Small pointer_size(void *obj)
{
	(void)obj;
	return 8;
}

static Dwarf_Unsigned section_count(void *obj)
{
	(void)obj;
	return N_SECTIONS + 1;
}

#ifdef DW_LIBDWARF_VERSION

static int object_section_info(void *obj, Dwarf_Unsigned number,
			       Dwarf_Obj_Access_Section_a *ret, int *error)
{
	const struct dwarf_object *object = obj;
	size_t i;

	(void)error;
	memset(ret, 0, sizeof(*ret));
	ret->as_name = "";
	if (section_index(number, &i)) {
		ret->as_name = section_names[i];
		ret->as_type = SHT_PROGBITS;
		ret->as_size = object->bytes[i];
		ret->as_addralign = 1;
	}
	return DW_DLV_OK;
}

static Dwarf_Small object_byte_order(void *obj)
{
	(void)obj;
	return DW_END_little;
}

static Dwarf_Unsigned object_file_size(void *obj)
{
	const struct dwarf_object *object = obj;
	Dwarf_Unsigned bytes = object->file->bytes;
	size_t i;

	/* Sections are checked against it; compressed ones grow. */
	for (i = 0; i < N_SECTIONS; i++)
		bytes += object->bytes[i];
	return bytes;
}

static int object_load_section(void *obj, Dwarf_Unsigned number,
			       Dwarf_Small **ret, int *error)
{
	return load_section(obj, number, ret, error);
}

static const Dwarf_Obj_Access_Methods_a methods = {
	.om_get_section_info = object_section_info,
	.om_get_byte_order = object_byte_order,
	.om_get_length_size = length_size,
	.om_get_pointer_size = pointer_size,
	.om_get_filesize = object_file_size,
	.om_get_section_count = section_count,
	.om_load_section = object_load_section,
};

static void set_interface(struct dwarf_object *object)
{
	object->interface.ai_object = object;
	object->interface.ai_methods = &methods;
}

static void debug_finish(Dwarf_Debug debug)
{
	dwarf_object_finish(debug);
}

#else

static int object_section_info(void *obj, Dwarf_Half number,
			       Dwarf_Obj_Access_Section *ret, int *error)
{
	const struct dwarf_object *object = obj;
	size_t i;

	(void)error;
	memset(ret, 0, sizeof(*ret));
	ret->name = "";
	if (section_index(number, &i)) {
		ret->name = section_names[i];
		ret->type = SHT_PROGBITS;
		ret->size = object->bytes[i];
	}
	return DW_DLV_OK;
}

static Dwarf_Endianness object_byte_order(void *obj)
{
	(void)obj;
	return DW_OBJECT_LSB;
}

static int object_load_section(void *obj, Dwarf_Half number, Dwarf_Small **ret,
			       int *error)
{
	return load_section(obj, number, ret, error);
}

static const Dwarf_Obj_Access_Methods methods = {
	.get_section_info = object_section_info,
	.get_byte_order = object_byte_order,
	.get_length_size = length_size,
	.get_pointer_size = pointer_size,
	.get_section_count = section_count,
	.load_section = object_load_section,
};

static void set_interface(struct dwarf_object *object)
{
	object->interface.object = object;
	object->interface.methods = &methods;
}

static void debug_finish(Dwarf_Debug debug)
{
	Dwarf_Error error = NULL;

	dwarf_object_finish(debug, &error);
}

#endif

static void find_sections(struct dwarf_object *object)
{
	const struct elf_file *file = object->file;
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr shdr;
	size_t i;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(file->elf, file->shstrndx, shdr.sh_name);
		for (i = 0; name && i < N_SECTIONS; i++)
			if (!object->scn[i] && !strcmp(name, section_names[i]) &&
			    elf_file_section_bytes(file, scn, &object->bytes[i]))
				object->scn[i] = scn;
	}
}

struct kml_error *dwarf_object_open(const struct elf_file *file,
				    struct dwarf_object **ret)
{
	struct dwarf_object *object;
	Dwarf_Error dwarf_error = NULL;
	struct kml_error *error;
	int status;

	error = libdwarf_load();
	if (error)
		return error;
	object = calloc(1, sizeof(*object));
	if (!object)
		return error_nomem();
	object->file = file;
	find_sections(object);
	if (!object->bytes[0]) {
		dwarf_object_close(object);
		return error_new(KML_ERR_DEBUGINFO,
				 "'%s' has no DWARF debuginfo", file->name);
	}
	set_interface(object);
	status = dwarf_object_init_b(&object->interface, NULL, NULL,
				     DW_GROUPNUMBER_ANY, &object->debug,
				     &dwarf_error);
	if (status != DW_DLV_OK) {
		object->debug = NULL;
		error = dwarf_object_error(object, status == DW_DLV_ERROR ?
						   dwarf_error : NULL);
		dwarf_object_close(object);
		return error;
	}
	*ret = object;
	return NULL;
}

void dwarf_object_close(struct dwarf_object *object)
{
	size_t i;

	if (!object)
		return;
	if (object->debug)
		debug_finish(object->debug);
	for (i = 0; i < N_SECTIONS; i++)
		free(object->owned[i]);
	free(object);
}

Dwarf_Debug dwarf_object_debug(const struct dwarf_object *object)
{
	return object->debug;
}

size_t dwarf_object_info_bytes(const struct dwarf_object *object)
{
	return object->bytes[0];
}

struct kml_error *dwarf_object_error(const struct dwarf_object *object,
				     Dwarf_Error dwarf_error)
{
	struct kml_error *error;

	if (object->no_memory)
		error = error_nomem();
	else
		error = error_new(KML_ERR_CORRUPT,
				  "the DWARF debuginfo of '%s' is damaged%s%s",
				  object->file->name, dwarf_error ? ": " : "",
				  dwarf_error ? dwarf_errmsg(dwarf_error) : "");
	if (dwarf_error)
		dwarf_dealloc_error(object->debug, dwarf_error);
	return error;
}
