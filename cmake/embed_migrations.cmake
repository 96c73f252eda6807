# Writes schema/migrations/NNN-*.sql as C++ raw string literals, in the order of their numbers.
set(text "")
string(REPLACE " " ";" files "${SQL}")
list(SORT files)
foreach(file IN LISTS files)
    file(READ ${file} sql)
    string(APPEND text "R\"sql(${sql})sql\",\n")
endforeach()
file(WRITE ${OUT} "${text}")
