// SPDX-License-Identifier: GPL-2.0-or-later
/* libdwarf's DIEs and attributes, with our errors. */
#include "debuginfo/dwarf_reader.h"

#include "base/util.h"

struct kml_error *dwarf_get_die(struct dwarf_reader *reader, Dwarf_Off offset,
				Dwarf_Die *ret)
{
	Dwarf_Error error = NULL;
	int status = dwarf_offdie_b(reader->debug, offset, true, ret, &error);

	if (status == DW_DLV_OK)
		return NULL;
	return dwarf_object_error(reader->object,
				  status == DW_DLV_ERROR ? error : NULL);
}

struct kml_error *dwarf_first_child(struct dwarf_reader *reader, Dwarf_Die die,
				    Dwarf_Die *ret)
{
	Dwarf_Error error = NULL;
	Dwarf_Die child = NULL;
	int status = dwarf_child(die, &child, &error);

	if (status == DW_DLV_ERROR)
		return dwarf_object_error(reader->object, error);
	*ret = status == DW_DLV_OK ? child : NULL;
	return NULL;
}

/* Siblings must come one behind the other: DW_AT_sibling could make a ring. */
static struct kml_error *check_order(struct dwarf_reader *reader, Dwarf_Die die,
				     Dwarf_Die next)
{
	struct kml_error *error;
	Dwarf_Off from, to;

	error = dwarf_die_offset(reader, die, &from);
	if (!error)
		error = dwarf_die_offset(reader, next, &to);
	if (!error && to <= from)
		error = dwarf_damaged(reader);
	return error;
}

struct kml_error *dwarf_next_sibling(struct dwarf_reader *reader,
				     Dwarf_Die *die)
{
	Dwarf_Error dwarf_error = NULL;
	struct kml_error *error = NULL;
	Dwarf_Die next = NULL;
	int status = dwarf_siblingof_b(reader->debug, *die, true, &next,
				       &dwarf_error);

	if (status == DW_DLV_ERROR)
		error = dwarf_object_error(reader->object, dwarf_error);
	else if (status == DW_DLV_OK)
		error = check_order(reader, *die, next);
	dwarf_put_die(reader, *die);
	*die = NULL;
	if (error) {
		dwarf_put_die(reader, next);
		return error;
	}
	*die = next;
	return NULL;
}

void dwarf_put_die(struct dwarf_reader *reader, Dwarf_Die die)
{
	if (die)
		dwarf_dealloc(reader->debug, die, DW_DLA_DIE);
}

struct kml_error *dwarf_die_tag(struct dwarf_reader *reader, Dwarf_Die die,
				Dwarf_Half *ret)
{
	Dwarf_Error error = NULL;

	if (dwarf_tag(die, ret, &error) == DW_DLV_OK)
		return NULL;
	return dwarf_object_error(reader->object, error);
}

struct kml_error *dwarf_die_offset(struct dwarf_reader *reader, Dwarf_Die die,
				   Dwarf_Off *ret)
{
	Dwarf_Error error = NULL;

	if (dwarf_dieoffset(die, ret, &error) == DW_DLV_OK)
		return NULL;
	return dwarf_object_error(reader->object, error);
}

struct kml_error *dwarf_die_name(struct dwarf_reader *reader, Dwarf_Die die,
				 const char **ret)
{
	Dwarf_Error error = NULL;
	char *name = NULL;
	int status = dwarf_diename(die, &name, &error);

	if (status == DW_DLV_ERROR)
		return dwarf_object_error(reader->object, error);
	*ret = status == DW_DLV_OK && name ? name : "";
	return NULL;
}

struct kml_error *dwarf_die_interned(struct dwarf_reader *reader, Dwarf_Die die,
				     uint32_t *ret)
{
	const char *name;
	struct kml_error *error = dwarf_die_name(reader, die, &name);

	if (!error && !string_pool_add(&reader->draft->strings, name, ret))
		error = error_nomem();
	return error;
}

/* *@ret is NULL if it is missing. */
static struct kml_error *get_attribute(struct dwarf_reader *reader,
				       Dwarf_Die die, Dwarf_Half number,
				       Dwarf_Attribute *ret)
{
	Dwarf_Error error = NULL;
	Dwarf_Attribute attribute = NULL;
	int status = dwarf_attr(die, number, &attribute, &error);

	if (status == DW_DLV_ERROR)
		return dwarf_object_error(reader->object, error);
	*ret = status == DW_DLV_OK ? attribute : NULL;
	return NULL;
}

/* Whether data of a fixed size is signed is not in the form: we take it as
 * unsigned, as compilers write negative numbers as signed LEB128. */
static int constant_value(Dwarf_Attribute attribute, bool *found_ret,
			  int64_t *ret, Dwarf_Error *error)
{
	Dwarf_Unsigned value = 0;
	Dwarf_Signed number = 0;
	Dwarf_Half form;
	int status = dwarf_whatform(attribute, &form, error);

	*found_ret = false;
	if (status != DW_DLV_OK)
		return status;
	switch (form) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
	case DW_FORM_udata:
		status = dwarf_formudata(attribute, &value, error);
		*ret = (int64_t)value;
		break;
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		status = dwarf_formsdata(attribute, &number, error);
		*ret = number;
		break;
	default:
		return DW_DLV_OK;
	}
	*found_ret = status == DW_DLV_OK;
	return status;
}

struct kml_error *dwarf_die_constant(struct dwarf_reader *reader, Dwarf_Die die,
				     Dwarf_Half number, bool *found_ret,
				     int64_t *ret)
{
	Dwarf_Error dwarf_error = NULL;
	Dwarf_Attribute attribute;
	struct kml_error *error;

	*found_ret = false;
	*ret = 0;
	error = get_attribute(reader, die, number, &attribute);
	if (error || !attribute)
		return error;
	if (constant_value(attribute, found_ret, ret, &dwarf_error) ==
	    DW_DLV_ERROR)
		error = dwarf_object_error(reader->object, dwarf_error);
	dwarf_dealloc(reader->debug, attribute, DW_DLA_ATTR);
	return error;
}

struct kml_error *dwarf_die_reference(struct dwarf_reader *reader,
				      Dwarf_Die die, Dwarf_Half number,
				      Dwarf_Off *ret)
{
	Dwarf_Error dwarf_error = NULL;
	Dwarf_Attribute attribute;
	struct kml_error *error;
	Dwarf_Off offset = 0;

	*ret = 0;
	error = get_attribute(reader, die, number, &attribute);
	if (error || !attribute)
		return error;
	if (dwarf_global_formref(attribute, &offset, &dwarf_error) == DW_DLV_OK)
		*ret = offset;
	else
		error = dwarf_object_error(reader->object, dwarf_error);
	dwarf_dealloc(reader->debug, attribute, DW_DLA_ATTR);
	return error;
}

/* A ULEB128 that is all of @data; false if it is not, or is too large. */
static bool get_uleb(const uint8_t *data, uint64_t bytes, uint64_t *ret)
{
	uint64_t i;

	*ret = 0;
	for (i = 0; i < bytes && i < 9; i++) {
		*ret |= (uint64_t)(data[i] & 0x7f) << 7 * i;
		if (!(data[i] & 0x80))
			return i + 1 == bytes;
	}
	return false;
}

/* Of an expression that is a fixed address, or the index of one in .debug_addr
 * (as clang has it in DWARF 5). */
static struct kml_error *fixed_address(struct dwarf_reader *reader,
				       Dwarf_Die die, const uint8_t *expression,
				       uint64_t bytes, bool *found_ret,
				       uint64_t *ret)
{
	Dwarf_Error dwarf_error = NULL;
	Dwarf_Addr address;
	uint64_t index;

	if (bytes == 9 && expression[0] == DW_OP_addr) {
		*ret = load_u64(expression + 1);
		*found_ret = true;
	} else if (bytes > 1 && expression[0] == DW_OP_addrx &&
		   get_uleb(expression + 1, bytes - 1, &index)) {
		if (dwarf_debug_addr_index_to_addr(die, index, &address,
						   &dwarf_error) != DW_DLV_OK)
			return dwarf_object_error(reader->object, dwarf_error);
		*ret = address;
		*found_ret = true;
	}
	return NULL;
}

struct kml_error *dwarf_die_address(struct dwarf_reader *reader, Dwarf_Die die,
				    bool *found_ret, uint64_t *ret)
{
	Dwarf_Error dwarf_error = NULL;
	Dwarf_Attribute attribute;
	Dwarf_Unsigned bytes = 0;
	Dwarf_Ptr expression = NULL;
	struct kml_error *error;
	Dwarf_Half form;
	int status;

	*found_ret = false;
	error = get_attribute(reader, die, DW_AT_location, &attribute);
	if (error || !attribute)
		return error;
	status = dwarf_whatform(attribute, &form, &dwarf_error);
	if (status == DW_DLV_OK && form == DW_FORM_exprloc)
		status = dwarf_formexprloc(attribute, &bytes, &expression,
					   &dwarf_error);
	if (status == DW_DLV_ERROR)
		error = dwarf_object_error(reader->object, dwarf_error);
	else if (bytes)
		error = fixed_address(reader, die, expression, bytes, found_ret,
				      ret);
	dwarf_dealloc(reader->debug, attribute, DW_DLA_ATTR);
	return error;
}

struct kml_error *dwarf_die_has(struct dwarf_reader *reader, Dwarf_Die die,
				Dwarf_Half attribute, bool *ret)
{
	Dwarf_Error error = NULL;
	Dwarf_Bool has = 0;

	if (dwarf_hasattr(die, attribute, &has, &error) == DW_DLV_ERROR)
		return dwarf_object_error(reader->object, error);
	*ret = has != 0;
	return NULL;
}
