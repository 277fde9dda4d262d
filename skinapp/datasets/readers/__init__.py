"""One reader per source of photos: each turns a folder or a list of photos into an image table.

To add a reader, write a module here with one function that returns an IndexedTable. `common` has the steps that all
readers share: find the photo files, read the metadata CSV, match rows with files, measure the files, build the table.
Then add a command for it in skinapp/cli/index.py.
"""
