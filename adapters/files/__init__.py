"""Files that an old system drops into a folder, and files dropped for one: formats, and the life of the folder.

A format (`csv_rows`, `fixed_rows`, `json_rows`, `xml_rows`, `dbf_rows`, `book_rows`) turns one file into rows.
A folder (`local`, `remote`) lists, opens, renames and writes.  `reading` and `writing` join the two and know neither.
"""
